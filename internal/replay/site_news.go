package replay

import "fmt"

// news is a newspaper: pages read in browsers, a live blog that polls, few
// accounts, no player.
func (s *site) news(r *rng) {
	ok := statuses(200, 404, 0.01, 500, 0.001)
	page := statuses(200, 304, 0.1, 404, 0.02, 301, 0.03)
	cached := statuses(200, 304, 0.4, 404, 0.008)
	sections := many(18, func(i int) string { return "/" + pick(r, nouns) })
	year := number(r, 2024, 2026)
	home := s.add(r, roleHome, "GET", s.host, 40, 80e3, page, nil, "/")
	list := s.add(r, roleList, "GET", s.host, 50, 60e3, page, nil, sections...)
	style := r.below(3)
	article := s.add(r, rolePage, "GET", s.host, 55, 70e3, page, nil, many(5000, func(i int) string {
		switch style {
		case 0:
			return fmt.Sprintf("%s/%s/%02d/%02d/%s.html", pick(r, sections), year, r.intn(1, 12), r.intn(1, 28), slug(r, 4))
		case 1:
			return fmt.Sprintf("%s/article/%d-%s", pick(r, sections), r.intn(100000, 999999), slug(r, 3))
		default:
			return fmt.Sprintf("/%s/%s_%d.php", slug(r, 2), slug(r, 3), r.intn(1000, 99999))
		}
	})...)
	live := s.add(r, roleLive, "GET", s.host, 45, 65e3, page, nil, "/live/"+slug(r, 4))
	poll := s.add(r, roleAPI, "GET", s.host, 9, 900, statuses(200, 304, 0.6), []piece{{"since=", fillTime}}, "/live/updates.json")
	search := s.add(r, roleSearch, "GET", s.host, 160, 30e3, ok, []piece{{pick(r, []string{"s=", "q=", "text="}), fillWord}}, pick(r, []string{"/search", "/recherche", "/"}))
	asset := s.add(r, roleAsset, "GET", s.host, 4, 45e3, cached, nil, many(60, func(i int) string {
		return "/" + pick(r, []string{"js", "css", "fonts", "bundles"}) + "/" + pick(r, nouns) + "-" + hexString(r, 6) + pick(r, []string{".js", ".css", ".woff2"})
	})...)
	image := s.add(r, roleImage, "GET", s.host, 6, 38e3, cached, nil, many(6000, func(i int) string {
		return fmt.Sprintf("/media/%s/%02d/%s-%d.jpg", year, r.intn(1, 12), slug(r, 2), r.intn(200, 1600))
	})...)
	config := s.add(r, roleConfig, "GET", s.host, 8, 3e3, statuses(200, 304, 0.3), nil, "/app/"+pick(r, []string{"config.json", "start", "manifest.json"}))
	api := s.add(r, roleAPI, "GET", s.host, 30, 14e3, ok, []piece{{"limit=", fillSmall}}, many(30, func(i int) string { return "/wp-json/feeds/" + slug(r, 2) })...)
	signIn := s.add(r, roleSignIn, "POST", s.host, 210, 1200, statuses(302, float64(s.signFail), r.between(0.04, 0.1)), nil, pick(r, []string{"/login", "/user/login", "/mon-compte/connexion", "/wp-login.php", "/subscriber/auth"}))
	token := s.add(r, roleToken, "GET", s.host, 14, 300, statuses(200, 401, 0.02), nil, "/user/session")
	comments := s.add(r, roleAPI, "GET", s.host, 40, 9e3, ok, []piece{{"article=", fillRandom}, {"&page=", fillSmall}}, "/comments")
	ads := s.add(r, roleAds, "GET", s.host, 20, 3e3, statuses(200, 204, 0.2), []piece{{"pos=", fillSmall}, {"&ord=", fillRandom}}, "/adserver/slot")
	feed := s.add(r, roleAPI, "GET", s.host, 12, 25e3, statuses(200, 304, 0.7), nil, "/rss.xml", "/feed", "/sitemap-news.xml")
	subscribe := s.add(r, rolePlay, "POST", s.host, 120, 600, statuses(200, 422, 0.05), nil, "/subscribe", "/newsletter/signup")
	beacon := s.add(r, roleHeartbeat, "POST", s.host, 3, 0, statuses(204), []piece{{"s=", fillSession}, {"&t=", fillTime}}, pick(r, []string{"/stats", "/b", "/audience/hit"}))
	health := s.add(r, roleHealth, "HEAD", s.host, 2, 0, statuses(200), nil, "/")
	robots := s.add(r, roleRobots, "GET", s.host, 2, 800, cached, nil, "/robots.txt")

	web := s.program(ClassViewer, do(home, 1, 1, 1).maybe(0.45), load(asset, 3, 9), load(image, 3, 10), do(article, 1, 4, 40), load(image, 1, 5), load(ads, 1, 4), load(beacon, 1, 2), do(list, 1, 1, 20).maybe(0.3), load(image, 2, 8).maybe(0.3), do(comments, 1, 3, 15).maybe(0.25), do(search, 1, 2, 10).maybe(0.08), do(token, 1, 1, 1).maybe(0.3), do(signIn, 1, 1, 12).maybe(0.05), do(subscribe, 1, 1, 40).maybe(0.01))
	app := s.program(ClassViewer, load(config, 1, 1), do(token, 1, 1, 0.4).maybe(0.5), load(api, 1, 3), load(image, 2, 6), do(api, 1, 4, 25), load(image, 0, 4), do(signIn, 1, 1, 15).maybe(0.04), load(beacon, 1, 3))
	s.visit = [deviceKinds]uint16{app, app, app, web, web}
	s.devices = deviceMix(r, 0.5, 10, 11, 44, 34)

	join := []step{do(live, 1, 1, 1), load(asset, 2, 8), load(image, 1, 4), do(signIn, 1, 1, 9).maybe(0.4), every(poll, 2, 8, 30)}
	pw := s.program(ClassKickOff, join...)
	s.crowds[ClassKickOff] = [deviceKinds]uint16{pw, pw, pw, pw, pw}
	s.crowd(ClassGoal, do(live, 1, 2, 2), load(asset, 2, 8), load(image, 1, 4), every(poll, 1, 4, 20))
	s.crowd(ClassAds, load(ads, 3, 6), load(beacon, 1, 3), do(ads, 1, 4, 8))
	s.crowd(ClassPush, load(config, 1, 1), load(api, 1, 1), do(article, 1, 1, 1), load(image, 1, 4), load(asset, 0, 5), load(beacon, 1, 1))
	s.crowds[ClassNAT] = s.visit
	s.crowds[ClassRetry] = [deviceKinds]uint16{app, app, app, web, web}
	s.crowd(ClassPurge, load(asset, 3, 9), load(image, 4, 12), do(image, 0, 6, 3))
	s.crowd(ClassBuggyApp, load(config, 1, 1), load(api, 1, 2), load(image, 1, 3), every(token, 6, 24, 5), do(article, 0, 1, 20), every(token, 6, 24, 5))
	s.crowd(ClassViral, do(article, 1, 1, 1), load(asset, 3, 9), load(image, 2, 8), load(ads, 1, 3), do(article, 0, 1, 30), load(beacon, 1, 1))
	s.robots(robots, home, article, feed, health)
}
