# Everything needs only Go, git and make. The programs are built into bin/.

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# The race detector needs a C compiler; without one the tests run without it.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
RACING := ^Test(NetworkLife|TwoAppliesAtOnce|LostLock|ClusterLostDuringApply|Interrupted|TroubledClusters)
FUZZTIME ?= 30s
# Which cases of make faults: all, all:KIND, each (in a run of its own), a share such as 1/20, or one that a failure named.
FAULTS ?= all
GO_DIRS := cmd schema plan apply secrets
SANDBOX_SOURCES := $(shell find cmd/sandbox -type f ! -name '*_test.go' 2>/dev/null)
WORKFLOWS := $(wildcard .github/workflows/*.yml .github/examples/*.yml)
SANDBOX_ENV := FAIRLEAD_SANDBOX=$(CURDIR)/bin/sandbox
BIN := $(CURDIR)/bin

.DELETE_ON_ERROR:
.PHONY: help build sandbox test test-main test-sandbox race lint demo bench faults fuzz clean \
	lint-format lint-vet lint-static lint-workflows lint-modules

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/fairlead
	$(GO) build -trimpath -ldflags '-s -w -X fairlead.dev/fairlead/cmd/internal/cli.version=$(VERSION)' \
		-o bin/fairlead ./cmd/fairlead

sandbox: bin/sandbox ## build bin/sandbox: clusters on loopback for the demo and the tests

bin/sandbox: $(SANDBOX_SOURCES)
	@echo "building the sandbox; the first time takes minutes"
	cd cmd/sandbox && $(GO) build -o $(BIN)/sandbox .
	@touch $@

# Both parts always run, so that one run shows everything that is broken.
test: bin/sandbox ## run all tests: sandbox, unit and end to end
	@status=0; \
	$(MAKE) --no-print-directory test-sandbox || status=1; \
	$(MAKE) --no-print-directory test-main || status=1; \
	exit $$status

# -vet=off: lint vets, in full. Without the race detector: with it, all of
# Kubernetes is compiled once more.
test-sandbox:
	cd cmd/sandbox && $(GO) test -vet=off -timeout 30m ./...

# The race detector makes the end-to-end tests three times as long, so here it looks at
# those with the most goroutines; make race is for all.
test-main: bin/sandbox
	$(if $(RACE),,@echo "no C compiler: testing without the race detector")
	@status=0; \
	$(GO) test $(RACE) -vet=off -timeout 30m $$($(GO) list ./... | grep -v /e2e$$) || status=1; \
	$(SANDBOX_ENV) $(GO) test -vet=off -parallel 6 -timeout 60m ./cmd/internal/e2e || status=1; \
	$(if $(RACE),$(SANDBOX_ENV) $(GO) test $(RACE) -vet=off -parallel 4 -timeout 30m -run '$(RACING)' ./cmd/internal/e2e || status=1;) \
	exit $$status

race: bin/sandbox ## run the end-to-end tests with the race detector
	$(SANDBOX_ENV) $(GO) test -race -vet=off -timeout 2h ./cmd/internal/e2e

lint: lint-format lint-modules lint-workflows lint-vet lint-static ## check format, modules, workflows and code
	@echo "lint: all clean"

lint-format:
	@files=$$(gofmt -l $(GO_DIRS)) && test -z "$$files" || { echo "not formatted, run gofmt -w:"; echo "$$files"; exit 1; }

lint-modules:
	$(GO) mod tidy -diff

lint-workflows: bin/actionlint
	bin/actionlint -shellcheck= -pyflakes= $(WORKFLOWS)

lint-vet:
	$(GO) vet ./...
	cd cmd/sandbox && $(GO) vet ./...

# ST1005: the stand-in repeats Skupper's messages, which start with a capital.
lint-static: bin/staticcheck
	bin/staticcheck ./...
	cd cmd/sandbox && $(BIN)/staticcheck -checks inherit,-ST1005 ./...

# The tools have the versions of .ci/tools/go.mod.
tool_staticcheck := honnef.co/go/tools/cmd/staticcheck
tool_actionlint := github.com/rhysd/actionlint/cmd/actionlint
tool_cue := cuelang.org/go/cmd/cue
bin/staticcheck bin/actionlint bin/cue: bin/%: .ci/tools/go.mod .ci/tools/go.sum
	cd .ci/tools && $(GO) build -o $(BIN)/ $(tool_$*)
	@touch $@

demo: build bin/sandbox ## show the whole tool on two clusters on this machine
	./cmd/internal/demo/demo.sh

bench: build bin/sandbox bin/cue ## measure beside cue vet, kubectl diff, linking by hand and, on given clusters, skupper (half an hour)
	FAIRLEAD_BENCH=$(BIN) $(GO) test -count 1 -timeout 90m -v -run '^TestBench$$' ./cmd/internal/bench

faults: bin/sandbox ## let each request of an apply of 20 links fail in each way (an hour; FAULTS=each for one a run, which takes three)
	$(SANDBOX_ENV) FAIRLEAD_FAULTS='$(FAULTS)' $(GO) test -count 1 -timeout 12h -v -run '^TestFaults$$' ./cmd/internal/e2e

fuzz: ## fuzz every parser, FUZZTIME (30s) each
	@set -e; for package in $$(grep -rl --include='*_test.go' '^func Fuzz' $(GO_DIRS) | xargs -n 1 dirname | sort -u); do \
		for target in $$(grep -ho --include='*_test.go' -r '^func Fuzz[A-Za-z0-9_]*' $$package/*_test.go | cut -d ' ' -f 2); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x ./$$package; \
		done; \
	done

clean: ## remove what was built
	rm -rf bin dist
