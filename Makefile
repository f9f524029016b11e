# Lacquer. `make serve` and `make test` are all that most people need; `make help` lists the rest.

PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
PORT    ?= 8000
# Numeric libraries on two cores: oversubscription costs 10-100x, so one thread each.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.DEFAULT_GOAL := help
.PHONY: audit help licences sbom setup serve serve-lan test test-seen test-unseen test-web test-services test-long test-quick test-scale test-outage lint lock bench soak churn overload fuzz clean train

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(VENV)/.runtime  ## virtual environment with the `lacquer` command, and the hand model

serve: setup  ## everything on one machine, at http://localhost:8000 (PORT=… for another)
	$(BIN)/lacquer serve --port $(PORT)

serve-lan: setup  ## the same for phones in the same network too: HTTPS and a QR code
	$(BIN)/lacquer serve --lan

test: $(VENV)/.tests  ## style, types and the suite, browsers included; under ten minutes
	@$(MAKE) --no-print-directory -j2 test-seen test-unseen

# Two lanes, for two cores. What measures time goes first; the other one, which does not, takes what is left of the cores
# and tells everything at its end.
UNSEEN := tests/signaling tests/protocol tests/fuzz tests/deploy
test-seen: $(VENV)/.tests
	$(BIN)/python -m pytest $(UNSEEN:%=--ignore=%)

test-unseen: $(VENV)/.tests
	@mkdir -p build
	@nice -n 10 $(MAKE) --no-print-directory lint test-web test-services > build/unseen.log 2>&1; \
		status=$$?; cat build/unseen.log; exit $$status

test-web:
	node --test tests/web/*.test.js

test-services:
	$(BIN)/python -m pytest $(UNSEEN)

test-long: $(VENV)/.tests  ## the rest: poor links, relays, the deployment's services, other WebRTC stacks; some four minutes
	$(BIN)/python -m pytest -m "long and not scale and not outage"

test-quick: $(VENV)/.tests  ## without browsers and without the hand model
	$(BIN)/python -m pytest -m "not browser and not media and not long and not scale and not outage"

test-scale: $(VENV)/.tests  ## parts apart at full size, minutes long: workers killed and restarted, Redis away
	$(BIN)/python -m pytest -s -m scale tests

test-outage: $(VENV)/.tests  ## what people notice of a database that is away for a minute, of a worker that is frozen
	$(BIN)/python -m pytest -m outage

lint: $(VENV)/.tests  ## style and types only
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup  ## how fast it is on this machine, in a real Chromium; FLAGS=… for options of `lacquer bench`
	$(BIN)/lacquer bench $(FLAGS)

fuzz: $(VENV)/.tests  ## the long fuzzers, one after the other, half an hour; FLAGS='--scale 0.1', FLAGS='--only rest'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	nice -n 10 $(BIN)/python -m tests.fuzz.campaign $(FLAGS)

soak: $(VENV)/.tests  ## four streams for 20 minutes: what grows, decays, stays; FLAGS="--minutes 60 --streams 2"
	PYTHONPATH=. $(BIN)/python tests/benchmarks/soak.py $(FLAGS)

churn: $(VENV)/.tests  ## 500 sessions dropped in every ugly way, and what is left of them; FLAGS="--sessions 50"
	PYTHONPATH=. $(BIN)/python tests/benchmarks/churn.py --cycles 0 --sessions 500 $(FLAGS)

overload: $(VENV)/.tests  ## three times as many people as places: who is in stays well; FLAGS="--capacity 4"
	PYTHONPATH=. $(BIN)/python tests/benchmarks/overload.py $(FLAGS)

train: $(VENV)/.runtime  ## the nail networks anew, from the photos in DATA=…; FLAGS=… for options, such as --sources
	@test -n "$(DATA)" || { echo "say where the photos are: make train DATA=../data" >&2; exit 1; }
	@echo "training needs PyTorch; on Linux without a GPU, installing its CPU build in $(VENV) first saves gigabytes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train]'
	$(BIN)/python -m media_worker.training train --data $(DATA) $(FLAGS)

lock: $(VENV)/.tests  ## resolve pyproject.toml anew into the two lock files (versions and hashes, no addresses)
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra build --extra otel --extra s3 --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra build --extra dev -c requirements.lock \
		--output-file tests/requirements.lock pyproject.toml
	@echo "then: make licences" >&2

licences: $(VENV)/.tests  ## deploy/THIRD_PARTY.md: the licences of everything that is shipped
	$(BIN)/python -m deploy.licences

sbom: $(VENV)/.tests  ## build/sbom.json: the bill of materials of what is shipped, CycloneDX
	$(BIN)/python -m deploy.sbom

audit:  ## known vulnerabilities in what the lock files name; needs the network
	@test -x build/audit/bin/pip-audit || { $(PYTHON) -m venv build/audit && \
		build/audit/bin/python -m pip install -qq --retries 1 --disable-pip-version-check pip-audit; } || \
		{ echo "pip-audit could not be installed, which needs the network: nothing is known" >&2; exit 2; }
	@build/audit/bin/python -m deploy.audit

LOCK_FLAGS := --quiet --generate-hashes --strip-extras --allow-unsafe --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--upgrade-package 'python-dateutil<3'  # moto 5.2 wants it; the rest takes any

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

# --- how the environment comes to be; each stamp is made anew when what it depends on changes ----------------------
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Lacquer needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@deploy/debian-packages.sh runtime
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/lacquer models
	@touch $@

$(VENV)/.tests: $(VENV)/.runtime tests/requirements.lock deploy/debian-packages.sh tests/interop/package-lock.json
	@deploy/debian-packages.sh tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.lock
	@npm ci --prefix tests/web --silent || echo "without npm, the types of the page's modules are not checked" >&2
	@npm ci --prefix tests/interop --silent || echo "without npm, WHIP and WHEP are not tested with libwebrtc" >&2
	@touch $@
