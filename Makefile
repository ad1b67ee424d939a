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
export GOFLAGS := -tags=$(TAGS)
export GOTOOLCHAIN := local

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/vigie (the first build takes some minutes)
	@mkdir -p bin
	@[ -x bin/vigie ] || echo "Building bin/vigie; from an empty cache this takes some minutes."
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/vigie ./collector

.PHONY: run
run: build ## Build, start the laptop shape and say where to look
	@echo
	@echo "  Vigie, the laptop shape. Stop it with Ctrl-C."
	@echo
	@echo "    page        http://127.0.0.1:8640/"
	@echo "    Prometheus  http://127.0.0.1:8640/api/v1  (a Grafana data source as it is)"
	@echo "    OTLP        127.0.0.1:4317 gRPC, 127.0.0.1:4318 HTTP"
	@echo "    logs        VIGIE_LOGS='/var/log/nginx/*.log' make run"
	@echo "    data        $${VIGIE_DATA_DIR:-./data}"
	@echo
	@exec bin/vigie

.PHONY: test
test: build ## All tests
	$(GO) test ./...

.PHONY: generate
generate: ## Regenerate what is generated (metadata.yaml → Go and docs)
	$(GO) generate ./...
