package replay

import "fmt"

// broadcaster is a television station with live streams, a catalogue, a sign-in,
// apps on television sets and phones, and advertising.
func (s *site) broadcaster(r *rng) {
	v := "/v" + number(r, 1, 6)
	api := pick(r, []string{"/api" + v, v, "/rest" + v, "/bff" + v, "/gateway" + v})
	hosts := func(name string) string {
		if s.host == "" || r.chance(0.5) {
			return s.host
		}
		return name + s.host[3:]
	}
	apiHost := hosts("api")
	ok := statuses(200, 404, 0.004, 500, 0.002)
	page := statuses(200, 304, 0.06, 404, 0.012, 301, 0.01)
	cached := statuses(200, 304, 0.3, 404, 0.004)

	home := s.add(r, roleHome, "GET", s.host, 60, 42e3, page, nil, "/")
	sections := many(14, func(i int) string { return "/" + pick(r, nouns) + pick(r, []string{"", "s", "-tv"}) })
	list := s.add(r, roleList, "GET", s.host, 70, 55e3, page, nil, sections...)
	title := s.add(r, rolePage, "GET", s.host, 80, 48e3, page, nil, many(3000, func(i int) string {
		return fmt.Sprintf("%s/%s-%d", pick(r, sections), slug(r, 3), 10000+r.below(90000))
	})...)
	live := s.add(r, roleLive, "GET", s.host, 55, 39e3, page, nil, "/"+pick(r, []string{"live", "direct", "en-direct", "watch/live", "sport/live"}), "/sport/"+slug(r, 3)+"-live")
	search := s.add(r, roleSearch, "GET", apiHost, 120, 9e3, ok, []piece{{pick(r, []string{"q=", "term=", "query="}), fillWord}}, api+"/search")
	static := pick(r, []string{"/static", "/assets", "/_next/static/chunks", "/build"})
	asset := s.add(r, roleAsset, "GET", s.host, 6, 70e3, cached, nil, many(120, func(i int) string {
		return static + "/" + pick(r, nouns) + "." + hexString(r, 8) + pick(r, []string{".js", ".js", ".css", ".woff2"})
	})...)
	image := s.add(r, roleImage, "GET", s.host, 9, 28e3, cached, nil, many(4000, func(i int) string {
		return fmt.Sprintf("/img/%s/%dx%d.%s", hexString(r, 10), 160*r.intn(1, 6), 90*r.intn(1, 6), pick(r, []string{"jpg", "webp", "avif"}))
	})...)
	config := s.add(r, roleConfig, "GET", apiHost, 12, 6e3, statuses(200, 304, 0.2), []piece{{"platform=", fillSmall}, {"&build=", fillSmall}}, api+pick(r, []string{"/config", "/bootstrap", "/features", "/app/settings"}))
	signIn := s.add(r, roleSignIn, "POST", hosts("login"), 180, 900, statuses(200, float64(s.signFail), r.between(0.03, 0.07), 429, 0.002), nil,
		pick(r, []string{api + "/auth/login", "/oauth/token", "/account/signin", "/accounts.login", "/idp/session", "/identity/authenticate"}))
	token := s.add(r, roleToken, "POST", apiHost, 25, 700, statuses(200, 401, 0.008), nil, api+pick(r, []string{"/auth/refresh", "/token", "/session/renew"}))
	cat := s.add(r, roleAPI, "GET", apiHost, 45, 18e3, ok, []piece{{"page=", fillSmall}}, many(40, func(i int) string { return api + "/catalog/" + slug(r, 2) })...)
	detail := s.add(r, roleAPI, "GET", apiHost, 35, 7e3, ok, nil, many(3000, func(i int) string { return fmt.Sprintf("%s/titles/%d", api, 10000+r.below(90000)) })...)
	play := s.add(r, rolePlay, "POST", apiHost, 90, 2e3, statuses(200, 403, 0.01, 451, 0.004, 503, 0.002), nil, many(300, func(i int) string { return fmt.Sprintf("%s/playback/%s", api, hexString(r, 8)) })...)
	manifest := s.add(r, roleManifest, "GET", s.host, 14, 3e3, statuses(200, 404, 0.003), []piece{{"t=", fillSession}}, many(24, func(i int) string {
		return fmt.Sprintf("/live/%s/index%s", slug(r, 2), pick(r, []string{".mpd", ".m3u8"}))
	})...)
	beat := s.add(r, roleHeartbeat, "POST", hosts("telemetry"), 8, 2, statuses(204, 200, 0.02), []piece{{"sid=", fillSession}, {"&pos=", fillTime}}, pick(r, []string{"/hb", "/ping", "/v1/events", "/beat", "/collect"}))
	ads := s.add(r, roleAds, "GET", hosts("ads"), 30, 4e3, statuses(200, 204, 0.1), []piece{{"slot=", fillSmall}, {pick(r, []string{"&cb=", "&rnd=", "&correlator="}), fillRandom}}, pick(r, []string{"/ads/pod", "/vast", "/ad/decision", "/gampad/ads"}))
	beacon := s.add(r, roleAds, "GET", hosts("ads"), 5, 43, statuses(204), []piece{{"e=", fillSmall}, {"&sid=", fillSession}, {"&z=", fillRandom}}, pick(r, []string{"/ads/beacon", "/pixel.gif", "/imp", "/track"}))
	score := s.add(r, roleAPI, "GET", apiHost, 10, 1500, statuses(200, 304, 0.4), nil, api+"/scores/"+slug(r, 2))
	health := s.add(r, roleHealth, "GET", s.host, 2, 15, statuses(200), nil, pick(r, []string{"/healthz", "/health", "/ping.html", "/status"}))
	robots := s.add(r, roleRobots, "GET", s.host, 3, 400, cached, nil, "/robots.txt")

	tv := s.program(ClassViewer, load(config, 1, 1), do(token, 1, 1, 0.4).maybe(0.8), do(signIn, 1, 1, 25).maybe(0.1), load(cat, 2, 4), load(image, 1, 6), do(detail, 0, 4, 7), do(play, 1, 1, 12), load(manifest, 1, 1), load(ads, 1, 2).maybe(0.6), every(beat, 2, 12, 60))
	app := s.program(ClassViewer, load(config, 1, 1), do(token, 1, 1, 0.3).maybe(0.6), do(signIn, 1, 1, 15).maybe(0.22), load(cat, 1, 3), load(image, 1, 5), do(detail, 0, 3, 9), do(search, 1, 2, 6).maybe(0.12), do(score, 1, 3, 20).maybe(0.3), do(play, 1, 1, 6).maybe(0.6), load(manifest, 1, 1).maybe(0.6), load(ads, 1, 2).maybe(0.5), every(beat, 1, 8, 60).maybe(0.6))
	web := s.program(ClassViewer, do(home, 1, 1, 1).maybe(0.6), load(asset, 4, 12), load(image, 2, 8), do(list, 1, 1, 12).maybe(0.5), load(image, 1, 6).maybe(0.5), do(title, 1, 3, 20), load(image, 1, 4), do(search, 1, 2, 8).maybe(0.15), do(signIn, 1, 1, 20).maybe(0.15), do(live, 1, 1, 10).maybe(0.3), do(play, 1, 1, 4).maybe(0.4), load(manifest, 1, 1).maybe(0.4), load(ads, 1, 3).maybe(0.6), every(beat, 1, 8, 60).maybe(0.4))
	s.visit = [deviceKinds]uint16{deviceTV: tv, deviceIOS: app, deviceAndroid: app, deviceMobileWeb: web, deviceDesktop: web}
	s.devices = deviceMix(r, 35, 20, 22, 10, 13)

	joinApp := []step{load(config, 1, 1), do(signIn, 1, 1, 8), load(cat, 1, 1), load(image, 0, 2), do(play, 1, 1, 3), load(manifest, 1, 1), load(ads, 0, 1), every(beat, 0, 3, 120)}
	joinWeb := []step{do(live, 1, 1, 1), load(asset, 2, 6), load(image, 0, 2), do(signIn, 1, 1, 9), do(play, 1, 1, 3), load(manifest, 1, 1), load(ads, 0, 1), every(beat, 0, 3, 120)}
	pa, pw := s.program(ClassKickOff, joinApp...), s.program(ClassKickOff, joinWeb...)
	s.crowds[ClassKickOff] = [deviceKinds]uint16{pa, pa, pa, pw, pw}
	ga := s.program(ClassGoal, load(config, 1, 1).maybe(0.7), load(score, 1, 3), load(cat, 0, 1), load(image, 1, 3), do(play, 1, 1, 4).maybe(0.5), load(manifest, 1, 2).maybe(0.5), do(score, 0, 2, 20))
	gw := s.program(ClassGoal, do(live, 1, 2, 3), load(asset, 2, 8), load(image, 1, 4), do(score, 1, 4, 10), do(play, 1, 1, 5).maybe(0.3))
	s.crowds[ClassGoal] = [deviceKinds]uint16{ga, ga, ga, gw, gw}
	s.crowd(ClassAds, load(ads, 2, 4), load(beacon, 2, 4), every(beacon, 4, 8, 7.5), load(ads, 0, 2))
	pushApp := s.program(ClassPush, load(config, 1, 1), do(token, 1, 1, 0.3).maybe(0.7), load(detail, 1, 1), load(image, 1, 4), do(play, 1, 1, 5).maybe(0.25), load(manifest, 1, 1).maybe(0.25), do(cat, 0, 2, 9))
	s.crowds[ClassPush] = [deviceKinds]uint16{pushApp, pushApp, pushApp, gw, gw}
	s.crowds[ClassNAT] = [deviceKinds]uint16{tv, app, app, web, web}
	s.crowds[ClassRetry] = [deviceKinds]uint16{pa, pa, pa, pw, pw}
	s.crowd(ClassPurge, load(asset, 3, 10), load(image, 2, 10), do(image, 0, 6, 3))
	s.crowd(ClassBuggyApp, load(config, 1, 1), do(token, 1, 1, 0.4).maybe(0.7), load(cat, 1, 2), load(image, 1, 3), every(config, 6, 24, 5), do(play, 1, 1, 6).maybe(0.4), load(manifest, 1, 1).maybe(0.4), every(config, 6, 24, 5))
	s.crowd(ClassViral, do(title, 1, 1, 1), load(asset, 3, 9), load(image, 2, 6), do(title, 0, 1, 20), load(ads, 0, 2))
	s.robots(robots, home, title, list, health)
}

// robots are the well-behaved machines.
func (s *site) robots(robots, home, page, list, health uint8) {
	s.crowd(ClassCrawler, do(robots, 1, 1, 1), do(page, 40, 120, 2), do(list, 4, 12, 3), do(page, 40, 120, 2))
	s.crowd(ClassMonitor, every(health, 200, 255, 15), every(home, 20, 30, 15), every(health, 200, 255, 15))
}

// deviceMix is a table of devices around the given shares, by seed.
func deviceMix(r *rng, tv, ios, android, mobile, desktop float64) []uint16 {
	w := []float64{tv, ios, android, mobile, desktop}
	for i := range w {
		w[i] *= r.betweenLog(0.7, 1.4)
	}
	return weighted(w)
}
