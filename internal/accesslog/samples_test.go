package accesslog

// samples holds lines of every format, as their writers' documentation shows
// them, with addresses of documentation ranges. They feed the tests, the fuzz
// targets and the benchmarks.
var samples = map[Format][]string{
	Nginx: {
		`203.0.113.7 - - [17/May/2026:20:45:03 +0200] "GET /live/match/42/segment-1337.ts?token=abc&q=7 HTTP/1.1" 200 203023 "https://tv.example/match/42" "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"`,
		`2001:db8:1:2:3:4:5:6 - alice [17/May/2026:20:45:03 +0200] "POST /api/v2/sign-in HTTP/2.0" 401 31 "-" "TVApp/7.1 (iOS 18.1)" "198.51.100.9, 10.0.0.1"`,
		`203.0.113.8 - - [17/May/2026:20:45:04 +0200] "GET /search?q=\x22quoted\x22&b=\x5C HTTP/1.1" 499 0 "-" "curl/8.5.0" 0.153`,
		`203.0.113.8 - - [17/May/2026:20:45:04 +0200] "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03" 400 157 "-" "-"`,
		`203.0.113.9 - - [17/May/2026:20:45:04 +0200] "-" 408 0 "-" "-"`,
		`203.0.113.9 - - [17/May/2026:20:45:05 +0200] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0" "198.51.100.77" "tv.example" sn="tv.example" rt=0.012 ua="10.0.0.4:8080" us="200" ut="0.012" ja4=t13d1516h2_8daaf6152771_b186095e22b6`,
	},
	Apache: {
		`tv.example:443 198.51.100.23 - bob [10/Oct/2026:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`,
		`198.51.100.23 - frank [10/Oct/2026:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`,
		`198.51.100.23 - - [10/Oct/2026:13:55:36 -0700] "GET /x HTTP/1.1" 304 -`,
	},
	IngressNginx: {
		`198.51.100.4 - - [02/Jul/2026:19:00:01 +0000] "GET /catalogue?page=2 HTTP/1.1" 200 5120 "https://tv.example/" "okhttp/4.12.0" 391 0.003 [web-catalogue-80] [] 10.42.0.17:8080 5120 0.003 200 3f2a9f8d6a7e4c1b9d0e5f6a7b8c9d0e`,
		`198.51.100.4 - - [02/Jul/2026:19:00:01 +0000] "GET /down HTTP/1.1" 502 150 "-" "okhttp/4.12.0" 391 5.003 [web-catalogue-80] [] 10.42.0.17:8080, 10.42.0.18:8080 0, 0 5.000, 0.003 502, 502 3f2a9f8d6a7e4c1b9d0e5f6a7b8c9d0e`,
	},
	Envoy: {
		`[2026-04-15T20:17:00.310Z] "POST /api/v1/locations?x=1 HTTP/2" 204 - 154 0 226 100 "198.51.100.35, 10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations.example:8443" "tcp://10.0.2.1:80"`,
		`[2026-04-15T20:17:01.000Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "10.44.1.27:80" outbound|8000||httpbin.foo.svc.cluster.local 10.44.1.23:37652 10.0.45.184:8000 10.44.1.23:46520 - default`,
	},
	ALB: {
		`h2 2026-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.131:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET https://www.example.com:443/watch?v=1 HTTP/2.0" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2026-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`,
		`http 2026-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.131:2817 - -1 -1 -1 460 - 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337364-23a8c76965a2ef7629b185e3" "-" "-" 0 2026-07-02T22:22:48.364000Z "waf,forward" "-" "-" "-" "-" "-" "-"`,
	},
	CloudFront: {
		"#Version: 1.0",
		"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end",
		"2026-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)\tx=1&y=2\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\ttv.example\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-",
	},
	CloudFrontRealtime: {
		"1781550188.384\t2001:db8::41\t203.0.113.1\t0.002\t206\t1500\tGET\thttps\td111111abcdef8.cloudfront.net\t/live/seg.ts?n=3\t55\tCDG50-P2\tid==\ttv.example\t0.052\tHTTP/2.0\tIPv6\tAppleTV/16%20(1)\t-\t-\tn=3\tHit\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit",
	},
	Traefik: {
		`198.51.100.41 - carol [08/Dec/2026:09:16:05 +0000] "GET /upload.asp?test=toto HTTP/1.1" 200 405 "-" "Nikto" 502 "shop@docker" "http://172.17.0.3:80" 12ms`,
		`{"ClientAddr":"198.51.100.41:47746","ClientHost":"198.51.100.41","ClientPort":"47746","ClientUsername":"carol","DownstreamContentSize":1024,"DownstreamStatus":200,"Duration":2546000,"OriginDuration":2000000,"OriginStatus":200,"RequestAddr":"shop.example","RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/basket?id=7","RequestProtocol":"HTTP/1.1","RouterName":"shop@docker","ServiceName":"shop-svc@docker","StartUTC":"2026-12-08T09:16:05.123456789Z","request_User-Agent":"curl/8.5.0","level":"info","msg":"","time":"2026-12-08T09:16:05Z"}`,
	},
	HAProxy: {
		`10.0.1.2:33317 [06/Feb/2026:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html?a=b HTTP/1.1"`,
		`[2001:db8::9]:33317 [06/Feb/2026:12:14:14.655] http-in~ http-in/<NOSRV> -1/-1/-1/-1/+5001 408 +212 - - cR-- 1/1/1/1/0 0/0 "<BADREQ>"`,
	},
	Caddy: {
		`{"level":"info","ts":1781550188.9626286,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"198.51.100.71","remote_port":"54462","client_ip":"198.51.100.72","proto":"HTTP/2.0","method":"GET","host":"tv.example:9080","uri":"/a/b?c=d","headers":{"User-Agent":["curl/7.88.1"],"X-Forwarded-For":["203.0.113.5"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"user_id":"dave","duration":0.000033987,"size":51,"status":401,"resp_headers":{"Server":["Caddy"]}}`,
	},
	JSON: {
		`{"time_iso8601":"2026-05-17T20:45:03+02:00","remote_addr":"198.51.100.81","http_x_forwarded_for":"203.0.113.5","request_method":"GET","request_uri":"/q?a=\"b\"","status":200,"body_bytes_sent":"512","request_time":"0.250","http_user_agent":"Mozilla\/5.0 \u00e9","host":"tv.example","proxy_upstream_name":"web-80","remote_user":"-"}`,
		`{":authority":"www.example.com","bytes_received":0,"bytes_sent":121258,"connection_termination_details":null,"downstream_remote_address":"198.51.100.12:59292","duration":11,"method":"GET","protocol":"HTTP/2","response_code":200,"response_flags":"-","start_time":"2026-12-31T16:37:40.479Z","upstream_cluster":"outbound|80||app.default.svc.cluster.local","user-agent":"Mozilla/4.0","x-envoy-origin-path":"/assets/image.webp","x-forwarded-for":"203.0.113.5"}`,
		`{"@timestamp":"2026-05-17T18:45:03.123Z","client":{"address":"198.51.100.91"},"http":{"request":{"method":"PUT"},"response":{"status_code":201,"body":{"bytes":7}}},"url":{"path":"/up","query":"k=v","domain":"up.example"},"user_agent":{"original":"ecs/1"},"event":{"duration":1500000},"service":{"name":"uploads"},"user":{"name":"erin"}}`,
		`{"attributes":{"client.address":"198.51.100.92","http.request.method":"GET","url.path":"/p","http.response.status_code":200,"http.server.request.duration":1.5e-2,"user_agent.original":"otel/1"},"timestamp":1781550188384}`,
	},
}
