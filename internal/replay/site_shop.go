package replay

import "fmt"

// shop is a web shop: categories with filters, products, carts, accounts.
func (s *site) shop(r *rng) {
	ok := statuses(200, 404, 0.006, 500, 0.003)
	page := statuses(200, 304, 0.02, 404, 0.02, 301, 0.02)
	cached := statuses(200, 304, 0.35, 404, 0.006)
	lang := pick(r, []string{"", "/en", "/fr", "/de", "/us/en"})
	prod := pick(r, []string{"/p/", "/product/", "/dp/", "/artikel/"})
	home := s.add(r, roleHome, "GET", s.host, 90, 95e3, page, nil, lang+"/")
	list := s.add(r, roleList, "GET", s.host, 140, 120e3, page, []piece{{"page=", fillSmall}, {pick(r, []string{"&sort=", "&order=", "&view="}), fillSmall}}, many(80, func(i int) string { return lang + "/c/" + pick(r, nouns) + "-" + pick(r, nouns) })...)
	product := s.add(r, rolePage, "GET", s.host, 110, 85e3, page, nil, many(8000, func(i int) string { return fmt.Sprintf("%s%s%s-%d", lang, prod, slug(r, 3), r.intn(10000, 9999999)) })...)
	live := s.add(r, roleLive, "GET", s.host, 80, 70e3, page, nil, lang+"/sale/"+slug(r, 2))
	search := s.add(r, roleSearch, "GET", s.host, 190, 60e3, ok, []piece{{pick(r, []string{"q=", "k=", "keyword="}), fillWord}, {"&p=", fillSmall}}, lang+pick(r, []string{"/search", "/s", "/catalogsearch/result/"}))
	asset := s.add(r, roleAsset, "GET", s.host, 4, 60e3, cached, nil, many(90, func(i int) string {
		return "/static/version" + hexString(r, 6) + "/" + pick(r, nouns) + pick(r, []string{".min.js", ".css", ".svg"})
	})...)
	image := s.add(r, roleImage, "GET", s.host, 7, 24e3, cached, []piece{{"w=", fillSmall}}, many(8000, func(i int) string {
		return fmt.Sprintf("/media/catalog/%s/%s/%s.webp", hexString(r, 1), hexString(r, 1), hexString(r, 12))
	})...)
	config := s.add(r, roleConfig, "GET", s.host, 15, 5e3, ok, nil, "/mobile/v"+number(r, 1, 4)+"/bootstrap")
	api := s.add(r, roleAPI, "GET", s.host, 25, 800, ok, nil, many(3000, func(i int) string { return fmt.Sprintf("/rest/stock/%d", r.intn(10000, 9999999)) })...)
	suggest := s.add(r, roleAPI, "GET", s.host, 30, 1200, ok, []piece{{"term=", fillWord}}, "/ajax/suggest")
	cart := s.add(r, roleAPI, "POST", s.host, 130, 2500, statuses(200, 409, 0.02, 422, 0.01), nil, lang+"/cart/add", "/rest/cart/items")
	checkout := s.add(r, rolePlay, "POST", s.host, 300, 4000, statuses(200, 402, 0.05, 422, 0.04), nil, lang+"/checkout/address", lang+"/checkout/payment", lang+"/checkout/confirm")
	signIn := s.add(r, roleSignIn, "POST", s.host, 220, 900, statuses(pick(r, []uint16{200, 302}), float64(s.signFail), r.between(0.04, 0.09)), nil, pick(r, []string{"/customer/account/loginPost", "/account/login", "/ap/signin", "/rest/customers/token", "/kundenkonto/anmelden"}))
	token := s.add(r, roleToken, "GET", s.host, 22, 1500, statuses(200, 401, 0.01), nil, "/customer/section/load")
	ads := s.add(r, roleAds, "GET", s.host, 18, 2500, statuses(200), []piece{{"ctx=", fillSmall}, {"&_=", fillRandom}}, "/recommendations")
	beacon := s.add(r, roleHeartbeat, "POST", s.host, 3, 0, statuses(204), []piece{{"sid=", fillSession}}, "/clickstream")
	health := s.add(r, roleHealth, "GET", s.host, 2, 20, statuses(200), nil, "/health_check.php")
	robots := s.add(r, roleRobots, "GET", s.host, 2, 1500, cached, nil, "/robots.txt")

	web := s.program(ClassViewer, do(home, 1, 1, 1).maybe(0.4), load(asset, 4, 10), load(image, 3, 10), load(token, 1, 1), do(list, 1, 3, 18).maybe(0.6), load(image, 4, 14).maybe(0.6), do(suggest, 2, 6, 1).maybe(0.3), do(search, 1, 2, 6).maybe(0.3), load(image, 3, 9).maybe(0.3), do(product, 1, 4, 30), load(image, 2, 6), load(api, 1, 2), load(ads, 1, 1), load(beacon, 1, 3), do(cart, 1, 2, 20).maybe(0.15), do(signIn, 1, 1, 15).maybe(0.09), do(checkout, 2, 3, 25).maybe(0.05))
	app := s.program(ClassViewer, load(config, 1, 1), load(token, 1, 1), load(image, 3, 8), do(list, 1, 3, 15), load(image, 3, 9), do(product, 1, 4, 25), load(api, 1, 2), load(image, 1, 4), do(signIn, 1, 1, 15).maybe(0.08), do(cart, 1, 1, 20).maybe(0.15), do(checkout, 2, 3, 25).maybe(0.05), load(beacon, 1, 3))
	s.visit = [deviceKinds]uint16{app, app, app, web, web}
	s.devices = deviceMix(r, 0.2, 16, 14, 40, 30)

	sale := s.program(ClassKickOff, do(live, 1, 2, 3), load(asset, 2, 8), load(image, 4, 12), do(signIn, 1, 1, 10).maybe(0.5), do(product, 1, 3, 12), load(image, 1, 4), load(api, 1, 2), do(cart, 1, 1, 8).maybe(0.4), do(checkout, 2, 3, 12).maybe(0.2))
	s.crowds[ClassKickOff] = [deviceKinds]uint16{sale, sale, sale, sale, sale}
	s.crowd(ClassGoal, do(live, 1, 2, 3), load(asset, 2, 8), load(image, 3, 8), do(product, 0, 2, 9), load(api, 0, 2))
	s.crowd(ClassAds, load(ads, 2, 4), load(beacon, 1, 4), do(ads, 1, 3, 8))
	s.crowd(ClassPush, load(config, 1, 1), load(token, 1, 1), do(product, 1, 1, 1), load(image, 2, 6), load(api, 1, 1), do(cart, 1, 1, 15).maybe(0.1))
	s.crowds[ClassNAT] = s.visit
	s.crowds[ClassRetry] = [deviceKinds]uint16{app, app, app, web, web}
	s.crowd(ClassPurge, load(asset, 3, 9), load(image, 4, 14), do(image, 0, 6, 3))
	s.crowd(ClassBuggyApp, load(config, 1, 1), load(image, 1, 4), every(token, 6, 24, 5), do(product, 0, 2, 15), every(token, 6, 24, 5))
	s.crowd(ClassViral, do(product, 1, 1, 1), load(asset, 3, 9), load(image, 2, 8), load(api, 1, 1), load(token, 1, 1), do(product, 0, 1, 20))
	s.robots(robots, home, product, list, health)
}
