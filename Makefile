# Targets need Python 3.10+ and the package registries, nothing else. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
# Tests wait for servers and clients more than they compute.
WORKERS ?= 4
PYTEST_ARGS ?=
# A further marker expression, for example MARKERS="not browser".
MARKERS ?= not large
# For example BENCH_ARGS="--quick", or "--scenario echo,broadcast --server ours-uvicorn,floor".
BENCH_ARGS ?= --output benchmarks/RESULTS.md
SOAK_ARGS ?=
# For example FUZZ_ARGS="decoder http --runs 10000000 --seed 2".
FUZZ_ARGS ?=
# For example HOSTILE_ARGS="--server daphne --attack auth".
HOSTILE_ARGS ?=
# For example CHAOS_ARGS="--seed 7 --layer core --deliveries 1000000".
CHAOS_ARGS ?=
# More requirements for the test environment, for example REQUIRE="django>=6.0", and a file of versions
# to hold it to, for example CONSTRAINTS=tests/oldest.txt.
REQUIRE ?=
CONSTRAINTS ?=
comma = ,
CLIENT_VERSION = 4.8.4

BIN = $(abspath $(VENV))/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
WITH_NODE = sh $(CURDIR)/scripts/with_node.sh $(abspath $(VENV))
RUN_TESTS = $(WITH_NODE) sh scripts/run_tests.sh $(BIN)/python $(WORKERS)
CLIENT = django_socketio/static/django_socketio/client
LINTED = django_socketio benchmarks demo_project docs scripts tests manage.py

.DEFAULT_GOAL := help
.PHONY: help test test-all test-unit test-large test-layers fuzz lint docs format demo demo-cluster client dist bench soak slow-reader hostile chaos clean setup-test setup-bench

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | awk -F'\t' '{ printf "make %-13s %s\n", $$1, $$2 }'
	@echo
	@echo 'Variables: PYTHON=python3.12  VENV=.venv  PORT=8000  WORKERS=4  PYTEST_ARGS="-k rooms"'

test: setup-test ## Run the tests, each on one server, client and channel layer
	$(RUN_TESTS) 'not large and not layers and not matrix and ($(MARKERS))' $(PYTEST_ARGS)

test-all: setup-test ## Run every test, on every server, client and channel layer
	$(RUN_TESTS) 'not large and not layers and ($(MARKERS))' $(PYTEST_ARGS)

test-unit: $(VENV)/.test ## Run what needs no server, Node.js or Redis (seconds)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal \
		-m 'not large and not layers and not node and not redis' tests/unit tests/server $(PYTEST_ARGS)

test-large: setup-test ## Run what many clients have to survive, at full size
	$(WITH_NODE) $(BIN)/python -m pytest -m large $(PYTEST_ARGS)

test-layers: setup-test ## Run the cluster's tests on layers whose servers you have installed
	$(PIP) install channels-nats channels-rabbitmq
	$(WITH_NODE) $(BIN)/python -m pytest -m 'layers or matrix' \
		tests/cluster/test_other_layers.py tests/faults/test_other_layers.py $(PYTEST_ARGS)

fuzz: $(VENV)/.test ## Feed random input to decoders, sessions and servers (ten million: half an hour)
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

lint: $(VENV)/.test ## Check style, types and who imports whom
	$(BIN)/ruff check $(LINTED)
	$(BIN)/ruff format --check $(LINTED)
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

docs: $(VENV)/.test ## Build the documentation into docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation: docs/_build/html/index.html"

format: $(VENV)/.test ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix $(LINTED)
	$(BIN)/ruff format $(LINTED)

demo: $(VENV)/.demo client ## Serve the demo chat
	$(BIN)/python manage.py setup_demo
	@echo
	@echo "The chat: http://127.0.0.1:$(PORT)/"
	@echo
	@exec $(BIN)/daphne -b 127.0.0.1 -p $(PORT) demo_project.asgi:application

demo-cluster: $(VENV)/.demo $(VENV)/.redis client ## Serve it from three processes that share Redis
	$(BIN)/python manage.py setup_demo
	@exec $(BIN)/python -m scripts.demo_cluster $(PORT)

client: $(CLIENT)/socket.io.min.js ## Put the official client from npm among the package's static files

dist: client ## Build the sdist and the wheel, and check that they contain the client
	rm -rf build dist
	$(BIN)/python -m build
	$(BIN)/python -m scripts.client check dist/*

bench: setup-bench ## Measure it beside other servers (15 minutes)
	$(WITH_NODE) $(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: setup-bench ## Let 100 000 sessions come and go, and look for what they leave (10 minutes)
	$(BIN)/python -m benchmarks.soak $(SOAK_ARGS)

chaos: $(VENV)/.test $(VENV)/.redis ## Break everything but processes, and count what clients miss (minutes)
	$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

slow-reader: setup-bench ## Measure what a client that stops reading does to the others
	$(BIN)/python -m benchmarks.slow_reader

hostile: setup-bench ## Measure what one hostile client can make the server pay
	$(BIN)/python -m benchmarks.hostile $(HOSTILE_ARGS)

clean: ## Remove what the targets above made
	rm -rf .venv .venv-* $(VENV) .demo $(CLIENT) docs/_build tests/node_modules benchmarks/node_modules build dist *.egg-info
	rm -rf .tox .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-test: $(VENV)/.test tests/node_modules/.installed $(VENV)/.redis ## Install what the tests need

setup-bench: $(VENV)/.bench benchmarks/node_modules/.installed $(VENV)/.redis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo 'Python 3.10 or newer is needed: make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.test: $(BIN)/python setup.cfg pyproject.toml $(CONSTRAINTS)
	$(PIP) install $(foreach file,$(CONSTRAINTS),--constraint $(file)) \
		--editable '.[test,docs,redis,speedups$(if $(CONSTRAINTS),,$(comma)layers)]' $(foreach name,$(REQUIRE),'$(name)')
	@touch $@

$(VENV)/.demo: $(BIN)/python setup.cfg pyproject.toml
	$(PIP) install --editable '.[demo,redis,speedups]'
	@touch $@

$(VENV)/.bench: $(BIN)/python setup.cfg pyproject.toml
	$(PIP) install --editable '.[bench,redis,speedups]'
	@touch $@

%/node_modules/.installed: %/package.json %/package-lock.json | $(BIN)/python
	cd $* && $(WITH_NODE) npm ci --no-audit --no-fund
	@touch $@

$(VENV)/.redis: scripts/redis_program.sh | $(BIN)/python
	sh scripts/redis_program.sh $(VENV)
	@touch $@

$(VENV)/.base: $(BIN)/python setup.cfg pyproject.toml
	$(PIP) install --editable . build
	@touch $@

# Again when this file names another version.
$(CLIENT)/socket.io.min.js: Makefile scripts/client.py | $(VENV)/.base
	mkdir -p .demo
	$(WITH_NODE) npm install --prefix .demo --no-save --no-package-lock --no-audit --no-fund \
		socket.io-client@$(CLIENT_VERSION)
	$(BIN)/python -m scripts.client take .demo/node_modules/socket.io-client
