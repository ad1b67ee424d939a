# Vigie. `make help` lists what there is; `make run` and `make test` are the two
# that a newcomer needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Without the service discoveries of clouds that Vigie does not run on, and
# without gRPC's own tracing, the binary is tens of megabytes smaller. Every
# target uses the same flags, so that they share one build cache.
TAGS    := grpcnotrace,remove_all_sd,enable_kubernetes_sd
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0-dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GO      := go
export GOFLAGS := -buildvcs=false -tags=$(TAGS)
# Everything is compiled once, static, for this machine and for the image alike. C is
# for the race detector and for what Fluent Bit loads.
export CGO_ENABLED := 0
WITH_C := CGO_ENABLED=1 $(GO)

LINT := -modfile=internal/tools/lint.mod
# The package whose tests start the whole program links all of it: compiled once,
# without the race detector; the program's parts are raced one by one. The
# detector owns no goroutine (collector/archtest holds that), and its replays
# take ten times as long under the race detector, to find nothing.
WHOLE := ./collector
PARTS := $$($(GO) list ./... | grep -v -e '/collector$$' -e '/internal/detect$$' -e '/internal/score$$')

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

WEB := exporters/warroomexporter/web

.PHONY: build
build: web ## Build bin/vigie (from an empty cache this takes some minutes)
	@mkdir -p bin
	@[ -x bin/vigie ] || echo "Building bin/vigie; from an empty cache this takes some minutes."
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/vigie ./collector

# The page needs Node.js; without it, or without its registry, the binary builds
# all the same, with a plain page that says how to get the real one.
.PHONY: web
web: $(WEB)/dist/app.js
$(WEB)/dist/app.js: $(wildcard $(WEB)/src/*) $(WEB)/package-lock.json $(WEB)/build.mjs
	@if command -v npm >/dev/null 2>&1; then \
	  (cd $(WEB) && npm ci --silent --ignore-scripts && npm run --silent build) || echo "The page could not be built; the binary gets the plain one."; \
	else \
	  echo "No npm: the binary gets the plain page. Install Node.js 20 and run make build for the real one."; \
	fi

.PHONY: fluentbit
fluentbit: ## Build bin/out_vigie.so, an output plugin for Fluent Bit (needs a C compiler)
	@mkdir -p bin
	$(WITH_C) build -buildmode=c-shared -ldflags '-s -w' -o bin/out_vigie.so ./receivers/fluentbit

.PHONY: run
run: build ## Build, start the laptop shape and say where to look
	@echo
	@echo "  Vigie, the laptop shape. Stop it with Ctrl-C."
	@echo
	@echo "    page        http://$${VIGIE_PAGE_ENDPOINT:-127.0.0.1:8640}/"
	@echo "    Prometheus  http://$${VIGIE_PAGE_ENDPOINT:-127.0.0.1:8640}/api/v1  (a Grafana data source as it is)"
	@echo "    OTLP        $${VIGIE_OTLP_GRPC_ENDPOINT:-127.0.0.1:4317} gRPC, $${VIGIE_OTLP_HTTP_ENDPOINT:-127.0.0.1:4318} HTTP"
	@echo "    logs        $${VIGIE_LOGS:-none; VIGIE_LOGS='/var/log/nginx/*.log' make run reads some}"
	@echo "    data        $${VIGIE_DATA_DIR:-./data}"
	@echo
	@exec bin/vigie

.PHONY: demo
demo: build ## A match in under six minutes on loopback: kick-off, a goal, a push, two attacks
	@scripts/demo.sh

.PHONY: test
test: build tools ## All tests; says how many panels and rules were executed
	$(GO) test -timeout 20m ./...
	VIGIE_TEST_LOGS_FULL=1 $(GO) test -count=1 -timeout 20m -run KilledAgentLosesNoLineOfAny $(WHOLE)
	@if command -v cc >/dev/null 2>&1; then echo "$(WITH_C) test ./receivers/fluentbit"; $(WITH_C) test ./receivers/fluentbit; \
	  else echo "No C compiler: the plugin for Fluent Bit is not tested."; fi
	@$(GO) test -count=1 -v -run TestProof ./dashboards/proof | grep -E -o '(executed|evaluated) .*|^(---|FAIL).*FAIL.*'

.PHONY: test-web
test-web: web ## The real page in Chromium (Debian's package chromium), through playwright-core and axe
	@mkdir -p build
	$(GO) test -c -o build/warroom.test ./exporters/warroomexporter
	cd $(WEB)/test && npm ci --silent --ignore-scripts && WARROOM_TEST_BINARY=$(CURDIR)/build/warroom.test npm $(or $(DRIVE),test)

.PHONY: tools
tools: ## Install what the tests use beyond Go, where apt and the right to use it are there
	@scripts/tools.sh

.PHONY: check
check: fmt-check vet lint fresh race ## What CI runs first: format, vet, lint, generated files fresh, tests with -race

.PHONY: fmt-check
fmt-check:
	@bad=$$(git ls-files '*.go' | xargs gofmt -l); [ -z "$$bad" ] || { echo "gofmt would change:"; echo "$$bad"; exit 1; }

.PHONY: vet
vet:
	$(GO) vet ./...
	@if command -v cc >/dev/null 2>&1; then $(WITH_C) vet ./receivers/fluentbit; fi

.PHONY: lint
lint:
	@mkdir -p build
	$(GO) build $(LINT) -o build/staticcheck honnef.co/go/tools/cmd/staticcheck
	build/staticcheck ./...
	@if command -v cc >/dev/null 2>&1; then CGO_ENABLED=1 build/staticcheck ./receivers/fluentbit; fi

.PHONY: race
race: tools
	@if command -v cc >/dev/null 2>&1; then echo "$(WITH_C) test -race -short, all but ./collector, the detector and its scores"; $(WITH_C) test -race -short -timeout 20m $(PARTS); \
	  else echo "No C compiler, and the race detector needs one: install gcc."; exit 1; fi

.PHONY: generate
generate: ## Regenerate what is generated: components' code and documentation from metadata.yaml
	$(GO) generate ./receivers/... ./processors/... ./exporters/... ./extensions/...

.PHONY: dashboards
dashboards: ## Write dashboards, rules and Alertmanager's configuration into dashboards/out
	$(GO) run ./dashboards/cmd

.PHONY: dashboard-pictures
dashboard-pictures: ## Draw the dashboards of docs/dashboards.md anew, from the proof's answers
	$(GO) test -count=1 ./dashboards/proof -run TestProof -args -update

.PHONY: fresh
fresh: generate dashboards
	@git diff --exit-code --stat -- receivers processors exporters extensions || { echo "generated files are stale: run make generate and commit"; exit 1; }
	@git diff --exit-code --stat -- dashboards/out docs/dashboards.md || { echo "dashboards are stale: run make dashboards and commit"; exit 1; }
	@$(GO) mod verify

.PHONY: bench
bench: build ## Benchmarks: the laptop, the store, conntrack, parsing, the detector, the exporters, the page
	$(GO) test -run '^$$' -bench 'BenchmarkLaptop|AgentOf110Pods' -benchtime 1x -timeout 10m $(WHOLE)
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/promstore ./exporters/warroomexporter ./receivers/hoststatreceiver
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/accesslog ./internal/sketch ./internal/window ./internal/detect ./internal/replay ./processors/attackdetectionprocessor ./collector/detectcmd
	$(GO) test -run '^$$' -bench 'Decode|Stats|Events' -benchtime 1s ./internal/conntrack ./receivers/conntrackreceiver
	$(GO) test -run '^$$' -bench Table -benchtime 3x -timeout 20m ./internal/conntrack
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/forecast ./processors/conntrackprocessor ./processors/seriesguardprocessor ./processors/cloudmetadataprocessor
	$(GO) test -run '^$$' -bench . -benchtime 2s ./exporters/cloudwatchexporter ./internal/emf ./exporters/remotewriteexporter ./internal/applog
	$(GO) test -run '^$$' -bench 'Filelog|ReadAlloc' -benchtime 1x -timeout 20m ./receivers/containerlogreceiver
	@if command -v npm >/dev/null 2>&1 && [ -x "$${CHROMIUM:-/usr/bin/chromium}" ]; then $(MAKE) --no-print-directory test-web DRIVE="run bench"; \
	  else echo "No Node.js or no Chromium: what the page costs in a browser, and a viewer on the server, is not measured."; fi

.PHONY: soak
soak: ## The log path at full size, with its counts: 50 writers, 20 MB/s, 10 kills; a destination that stalls for 60 s
	VIGIE_TEST_LOGS_FULL=1 $(GO) test -count=1 -v -timeout 30m -run KilledAgentLosesNoLineOfAny $(WHOLE)
	VIGIE_TEST_STALL=60s $(GO) test -count=1 -v -timeout 20m -run ALagIsGone ./receivers/containerlogreceiver

.PHONY: eval
eval: build ## Every scenario × 20 seeds against the detector and the baselines (an hour and more on 2 cores; EVAL=--quick: a tenth; EVAL=--resume goes on where it was interrupted); writes docs/detection-eval.md
	@mkdir -p build
	bin/vigie eval run --out docs/detection-eval.md --raw build/eval.jsonl $(if $(wildcard ../shared/data),--data ../shared/data) $(EVAL)

.PHONY: e2e
e2e: ## A real Kubernetes on this machine (as root), our chart on it, each assertion with its count; E2E_RUN=regexp tells a part
	@mkdir -p build/e2e
	@$(GO) build -o build/e2e/harness ./e2e
	@build/e2e/harness

IMAGE     := build/image
# Of these the image is made; one is enough to try it: make image ARCH=amd64.
ARCH      ?= amd64 arm64
# A release builds without this machine's paths: make image RELEASE=1. It compiles
# everything once more, so that nothing else does it.
IMAGE_FLAGS := $(if $(RELEASE),-trimpath)

.PHONY: image
image: web ## The container image, an OCI layout and a tar file in build/image (ARCH=amd64 or arm64: one of them; NAME: its name in the tar file; CA=FILE: these certificates)
	@for arch in $(ARCH); do \
	  mkdir -p $(IMAGE)/$$arch; echo "Building for linux/$$arch; from an empty cache this takes some minutes."; \
	  CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build $(IMAGE_FLAGS) -ldflags '$(LDFLAGS)' -o $(IMAGE)/$$arch/vigie ./collector && \
	  (cd deploy/image && CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -ldflags '-s -w' -o $(CURDIR)/$(IMAGE)/$$arch/vigie-node ./node) || exit 1; \
	done
	@cd deploy/image && $(GO) build -o $(CURDIR)/$(IMAGE)/make-image .
	@$(IMAGE)/make-image build -out $(IMAGE) -version '$(VERSION)' -revision "$$(git rev-parse HEAD 2>/dev/null || true)" \
	  -time "$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 0)}" $(if $(NAME),-name '$(NAME)') $(if $(CA),-ca '$(CA)') \
	  -npm-lock $(WEB)/package-lock.json $(foreach a,$(ARCH),linux/$(a)=$(IMAGE)/$(a))

.PHONY: image-test
image-test: ## The image's builder: the same bytes twice, what is in a layer, bills of materials, signatures
	cd deploy/image && $(GO) vet ./... && $(GO) test ./...

.PHONY: image-sign
image-sign: ## Sign build/image with a release's own key (KEY=FILE.pem REPOSITORY=registry/name)
	@$(IMAGE)/make-image sign -layout $(IMAGE)/oci -key '$(KEY)' -repository '$(REPOSITORY)'

.PHONY: deploy-check
deploy-check: ## The cloud templates against AWS' own lists, Terraform's tests, without an account (needs npm; Terraform or minutes)
	deploy/testing/tools.sh
	VIGIE_DEPLOY_TOOLS=$(CURDIR)/build/deploy $(GO) test -count=1 -timeout 15m ./deploy/iam ./deploy/terraform ./deploy/cloudformation ./deploy/k6

.PHONY: manifests
manifests: ## Write the plain manifests out of the Helm chart into deploy/manifests
	@cd deploy/helm && $(GO) run ./plaincmd ../manifests

.PHONY: chart
chart: build ## The Helm chart: lint with every preset, the schema, rights and pods, and what the product makes of it
	@helm=$$(deploy/helm/tools.sh)/helm && for p in deploy/helm/presets/*.yaml; do $$helm lint --strict --quiet deploy/helm/vigie -f $$p || exit 1; done
	$(GO) test -count=1 ./deploy/helm/...

.PHONY: clean
clean: ## Remove what was built (not ./data)
	rm -rf bin build
