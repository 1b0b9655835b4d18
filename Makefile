# The two commands: `make run` and `make test`. Needs make and Python 3.11, 3.12 or 3.13, nothing else.
BIN := .venv/bin
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# The environment that stands is kept until another Python is asked for: make test PYTHON=python3.13.
PYTHON ?= $(shell for python in $(BIN)/python python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)
# Most tests wait for servers more than they compute; each worker starts its own.
TESTS_AT_ONCE ?= 3
# Folders of tests by package, or files in them: make test PART="listing imports/test_cells.py".
PLACES = $(foreach part,$(PART),$(or $(wildcard tests/unit/$(part) tests/integration/$(part) tests/$(part)),$(error no tests/unit/$(part) and no tests/integration/$(part))))
SPECTRAL := fuzz/spectral
WITH_NODE := PATH="$(CURDIR)/$(SPECTRAL)/.venv/bin:$$PATH"
CLIENTS := clients
CONSOLE := tools/console
TSC := $(CONSOLE)/node_modules/.bin/tsc

.PHONY: help run test console-test check alerts format locks bench faults scale restarts races events soak overload fuzz mta office spectral clients cluster snapshots clean python

python:
	@$(or $(PYTHON),false) -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "Roster runs on Python 3.11, 3.12 and 3.13, and $(or $(PYTHON),no python3 here) is none of them: install one, and name it if it is not found: make run PYTHON=python3.13" >&2; exit 1; }

help:  ## the targets and what they do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/run.stamp: python
	@$(PYTHON) -m tools.environment .venv requirements.lock $(@F)

.venv/dev.stamp: python
	@$(PYTHON) -m tools.environment .venv requirements-dev.lock $(@F)

run: .venv/run.stamp  ## the server on 127.0.0.1:8000 with its own MongoDB and Redis
	$(BIN)/python -m app serve

test: .venv/dev.stamp $(CONSOLE)/node_modules/stamp  ## the whole suite, on servers it starts itself; what concerns one package: PART=listing
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder $(PLACES)

console-test: .venv/dev.stamp $(CONSOLE)/node_modules/stamp  ## the console's tests with 200,000 people
	CONSOLE_PEOPLE=200000 PATIENCE_S=600 $(BIN)/python -m pytest tests/console

check: .venv/dev.stamp $(CONSOLE)/node_modules/stamp  ## lint, format, types, import directions, texts, and whether the locks install everywhere
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(WITH_NODE) $(TSC) -p $(CONSOLE)
	$(BIN)/python -m tools.vendored check
	$(BIN)/python -m tools.catalogue
	$(BIN)/python -m tools.locks

alerts:  ## each alert of deploy/ fires when it should and keeps quiet when it should; needs promtool
	@command -v promtool > /dev/null || { echo "make alerts needs promtool: apt-get install prometheus, or prometheus.io/download"; exit 1; }
	promtool check rules deploy/prometheus-alerts.yml
	promtool test rules tests/alerts.yml

format: .venv/dev.stamp  ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

locks: .venv/dev.stamp  ## rewrite the locks from pyproject.toml; UV_OPTIONS=--upgrade for the newest versions
	$(BIN)/python -m tools.locks write $(UV_OPTIONS)

bench: .venv/dev.stamp  ## the ratios, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

faults: .venv/dev.stamp  ## the primary of three lost ten times in each of four ways, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.failover

scale: .venv/dev.stamp  ## ten million users on this machine, or USERS=4000000: it says first how long and what disk; into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.scale $(if $(USERS),--users $(USERS))

restarts: .venv/dev.stamp  ## workers replaced five times under load, and one killed, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.restarts

races: .venv/dev.stamp  ## fifty exchanges of one code at once, two hundred times, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.races

events: .venv/dev.stamp  ## ten thousand changes while worker, server, primary and receiver are killed by turns, and what telling others costs, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.events
	$(BIN)/python -m benchmarks.telling

overload: .venv/dev.stamp  ## twice and four times what it can do, for two minutes each, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.overload

soak: .venv/dev.stamp  ## a quarter of an hour of mixed load: does anything grow? into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.soak

fuzz: .venv/dev.stamp spectral  ## the published document against the service: schemathesis, and two peers who try each other's things
	$(BIN)/python -m fuzz

office: .venv/dev.stamp  ## exports opened and saved by LibreOffice, SheetJS, exceljs, openpyxl and pandas: do they come back? into docs/office.md
	$(BIN)/python -m office

mta: .venv/dev.stamp  ## each kind of mail given to a real Postfix, and its mailbox read: needs Postfix and root
	$(BIN)/python -m mta

cluster: .venv/dev.stamp  ## three MongoDB nodes and a Redis with its replica, until Ctrl-C; prints their addresses
	$(BIN)/python -m tools.cluster

# Node comes as a wheel of its own. No script of an npm package runs: one of them would report each installation.
$(SPECTRAL)/.venv/node.stamp: python
	@$(PYTHON) -m tools.environment $(SPECTRAL)/.venv $(SPECTRAL)/requirements.lock $(@F)

$(SPECTRAL)/.venv/stamp: $(SPECTRAL)/.venv/node.stamp $(SPECTRAL)/package.json $(SPECTRAL)/package-lock.json
	$(WITH_NODE) npm ci --prefix $(SPECTRAL) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# What checks and shows the console: TypeScript for its types, a Chromium for its tests, and what it has of others.
$(CONSOLE)/node_modules/stamp: $(SPECTRAL)/.venv/node.stamp $(CONSOLE)/package.json $(CONSOLE)/package-lock.json
	$(WITH_NODE) npm ci --prefix $(CONSOLE) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

spectral: .venv/run.stamp $(SPECTRAL)/.venv/stamp  ## the OpenAPI document by every rule of OpenAPI and OWASP, and two TypeScript clients made of it
	$(BIN)/python -m app openapi > $(SPECTRAL)/openapi.json
	$(WITH_NODE) $(SPECTRAL)/node_modules/.bin/spectral lint --fail-severity hint \
		--ruleset $(SPECTRAL)/.spectral.yaml $(SPECTRAL)/openapi.json
	$(WITH_NODE) npm run clients --prefix $(SPECTRAL) --silent

$(CLIENTS)/.venv/python.stamp: python
	@$(PYTHON) -m tools.environment $(CLIENTS)/.venv $(CLIENTS)/requirements.lock $(@F)

$(CLIENTS)/.venv/stamp: $(CLIENTS)/.venv/python.stamp $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	PATH="$(CURDIR)/$(CLIENTS)/.venv/bin:$$PATH" npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

clients: .venv/dev.stamp $(CLIENTS)/.venv/stamp $(CONSOLE)/node_modules/stamp  ## OAuth clients of others do their flows with a running Roster, axe looks at its pages; into docs/clients.md
	$(BIN)/python -m clients

snapshots: .venv/dev.stamp  ## rewrite what is generated: the OpenAPI snapshot, pages and the picture of docs/, THIRD-PARTY-NOTICES.md
	$(BIN)/python -m app openapi > tests/snapshots/openapi.json
	$(BIN)/python -m tools.error_codes > docs/errors.md
	$(BIN)/python -m tools.setting_table > docs/settings.md
	$(BIN)/python -m tools.event_contract > docs/events.md
	$(BIN)/python -m tools.index_contract > docs/indexes.md
	$(BIN)/python -m tools.openid_conformance > docs/openid-conformance.md
	$(BIN)/python -m tools.notices > THIRD-PARTY-NOTICES.md
	$(BIN)/python -m tools.rooms

clean:  ## remove the environments and caches; .roster/ with its data stays
	rm -rf .venv .venv-peer .venv-fuzz .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf $(CLIENTS)/.venv $(CLIENTS)/node_modules $(CONSOLE)/node_modules
	rm -rf $(SPECTRAL)/.venv $(SPECTRAL)/node_modules $(SPECTRAL)/openapi.json $(SPECTRAL)/clients/generated
