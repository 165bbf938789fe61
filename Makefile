# make run and make test are all that is needed; make help has the rest.

GO       ?= go
FUZZTIME ?= 1m
SEEDS    ?= 1000000

# The commit is put into the programs, except where git does not say it: in a
# checkout that belongs to another user, go build would fail.
BUILD_FLAGS := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)

# Where several goroutines share something. The simulator in proxy runs fewer
# seeds there: it is slow under the race detector, and has one goroutine.
RACE := ./cache ./pool/... ./proxy/pgtest ./proxy/reactor ./monitor ./rewrite/sqlparse ./cmd/pgjay

.DEFAULT_GOAL := help
.PHONY: help build run test race fuzz soak suites lint bench bench-rewrite bench-offset claims web clean compiler postgresql

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: compiler ## make bin/pgjay and bin/simulator
	$(GO) build $(BUILD_FLAGS) -o bin/ ./cmd/...

run: postgresql build ## run pgjay demo, PostgreSQL with sample data and PgJay before it; ARGS="--listen 127.0.0.1:7432"
	@exec ./bin/pgjay demo $(ARGS)

test: postgresql build ## run all tests, those first that take longest
	$(GO) test -timeout 20m ./proxy ./...
	@echo "make test: all passed"

race: postgresql compiler ## run the tests of what is concurrent again, with the race detector
	$(GO) test -race $(RACE)
	$(GO) test -race -timeout 25m ./proxy -seeds 500
	$(GO) test -race -run Keeper ./rewrite/catalog

fuzz: compiler ## run every fuzz target for FUZZTIME=1m
	.ci/fuzz $(FUZZTIME)

soak: compiler ## copy 1 GB both ways, leave in all ways with all state, read from the cache under writes a million times, read 10,000 tables, compare 200,000 rewritten statements, and run the simulators with SEEDS=1000000 seeds
	PGJAY_SOAK=1 $(GO) test -count=1 -timeout 0 -run 'BoundedMemory|TestLeaks|TestCacheHistories|TestCacheDifferential|TestDeepDiffer' ./proxy
	PGJAY_SOAK=1 $(GO) test -count=1 -timeout 0 -run 'ManyTables' ./rewrite/catalog
	PGJAY_SOAK=1 $(GO) test -count=1 -timeout 0 -run 'TestRulesDiffer' ./rewrite
	$(GO) test -count=1 -timeout 0 -run 'TestSimulator' ./proxy -seeds $(SEEDS)
	$(GO) test -count=1 -timeout 0 -run 'TestRandom|TestListenRandom' ./pool -seeds $(SEEDS)

suites: build ## run the programs in SUITES=directory against a PgJay
	@.ci/suites $(if $(SUITES),$(SUITES),$(error say which: make suites SUITES=directory))

lint: compiler ## gofmt, go vet and staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo "^ run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

bench: build ## compare PgJay with PostgreSQL alone and with PgBouncer
	$(GO) run ./proxy/pgtest/bench

claims: postgresql build ## measure what is claimed of PgJay, on a throw-away PostgreSQL; ARGS="--only pages" or "--docs ."
	@exec ./bin/simulator claims $(ARGS)

# ROWS=2000000 is what the numbers of docs/rules.md are to be compared with.
bench-rewrite: postgresql compiler ## measure what each rewrite rule gains, on ROWS=200000 contacts
	$(GO) test ./rewrite -run TestGain -count=1 -timeout 0 -v -rows $(or $(ROWS),200000) | grep --line-buffered -v '^[=]'

web: ## copy what the dashboard uses from npm into monitor/web/static/vendor, anew
	monitor/web/vendor.sh

bench-offset: postgresql ## times of pages behind a deep OFFSET, of ROWS=2000000
	PGJAY_BENCH=$(or $(ROWS),2000000) $(GO) test -v -count=1 -timeout 0 -run TestDeepSpeed ./proxy

clean: ## remove what build made
	rm -rf bin

# PostgreSQL's parser is written in C, and the race detector needs a compiler too.
compiler:
	@.ci/install gcc libc6-dev
	@command -v "$${CC:-gcc}" >/dev/null || command -v clang >/dev/null || \
		{ echo "PgJay is built with a C compiler: install gcc, or name yours in CC"; exit 1; }

postgresql:
	@.ci/install postgresql
