# What a newcomer, a developer and CI run. `make help` lists it. Needs Python 3.11+, make and the package registries.
PYTHON ?= python3
INCIDENTBOT_PORT ?= 4599
SCHEDULES ?= 200
SEED ?= 1
CONTEXT ?=
export INCIDENTBOT_PORT
# The CDK's generated modules take seconds to compile: keep what Python compiled.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/.venv/bin:$(PATH)

BIN := .venv/bin
EMULATOR := .local/emulator/venv
CDK := infra/cdk-cli/node_modules/.bin/cdk
READY := .venv/.installed .venv/.project $(EMULATOR)/.installed infra/cdk-cli/node_modules/.installed .local/layer/.installed

.DEFAULT_GOAL := ready
.PHONY: ready help demo test lint types contracts unit coverage scenarios benchmarks simulate layer synth bootstrap deploy remove stop clean lock

ready: $(READY) ## install everything that is pinned (the default; seconds when nothing changed)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "make %-12s %s\n", $$1, $$2}'

demo: ready ## deploy to the emulator and tell the story (CI=true: decided by script); leaves it running
	@$(BIN)/python -m infra.local.story

test: lint types contracts unit coverage scenarios ## everything that must hold

lint: .venv/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.installed
	$(BIN)/mypy

contracts: .venv/.project
	$(BIN)/lint-imports

unit: ready ## the fast tests
	$(BIN)/pytest -q -n 2

coverage: .venv/.project ## branch coverage of the domain
	$(BIN)/pytest -q -n 2 --cov --cov-report=term tests/domain

scenarios: ready ## the deployed stack on the emulator, IAM enforced
	$(BIN)/pytest -q -n 5 --dist loadgroup tests/scenarios

benchmarks: ready ## measure, write benchmarks/results.json (ONLY=name,...)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

simulate: ready ## fault schedules over the real handlers (SCHEDULES=n SEED=k)
	@$(BIN)/python -m tests.simulation --schedules $(SCHEDULES) --seed $(SEED)

layer: ready ## build the Lambda layers
	@$(BIN)/python -m infra.layer local aws

synth: ready ## synthesize for AWS without an account (CONTEXT="-c stack=Bot ...")
	@$(CDK) synth --quiet --no-notices --context target=aws $(CONTEXT)

bootstrap: ready ## prepare the account and region of the current credentials for the CDK, once
	@$(CDK) bootstrap --no-notices --context target=aws $(CONTEXT)

deploy: ready ## deploy to AWS with the current credentials (CONTEXT="-c email=you@example.com ...")
	@$(CDK) deploy --all --no-notices --context target=aws $(CONTEXT)

remove: ready ## remove the stack from AWS (its output LeftBehind says what stays)
	@$(CDK) destroy --all --no-notices --context target=aws $(CONTEXT)

stop: ## stop whatever this checkout left running
	@$(PYTHON) -m infra.local.stop

clean: stop ## remove everything that was installed or generated
	rm -rf .venv .local cdk.out infra/cdk-cli/node_modules .hypothesis .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: .venv/.installed ## pin anew what requirements/*.in and package.json ask for
	$(call pin,requirements/layer)
	$(call pin,requirements/emulator)
	$(call pin,requirements/uv)
	$(call pin,requirements/dev)
	cd infra/cdk-cli && npm install --package-lock-only --silent

define pin
$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --output-file $(1).txt $(1).in
endef

# Installing. uv does it fast; pip does it where only pip's own configuration knows the way to the index.
define install
$(BIN)/uv pip install --quiet --python $(1)/bin/python --require-hashes -r $(2) \
	|| $(BIN)/python -m pip --python $(1)/bin/python install --quiet --require-hashes -r $(2)
endef

.venv/bin/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Incident Bot needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.installed: requirements/dev.txt .venv/bin/uv
	$(call install,.venv,requirements/dev.txt)
	@touch $@

.venv/.project: pyproject.toml .venv/.installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable . \
		|| $(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(EMULATOR)/.installed: requirements/emulator.txt .venv/bin/uv
	$(PYTHON) -m venv --clear --without-pip $(EMULATOR)
	$(call install,$(EMULATOR),requirements/emulator.txt)
	@touch $@

infra/cdk-cli/node_modules/.installed: infra/cdk-cli/package-lock.json .venv/.installed
	cd infra/cdk-cli && npm ci --silent --ignore-scripts
	@touch $@

.local/layer/.installed: requirements/layer.txt infra/layer.py .venv/.installed
	$(BIN)/python -m infra.layer --dependencies local aws
	@touch $@
