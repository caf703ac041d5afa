# Everything a developer or an operator does, as one word each. `make help` lists the words.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Node and npm come inside a Python package, so nothing but Python and make must be on the machine.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup demo up test lint format bench migrate lock clean

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.python node_modules/.installed ## Install the pinned tools and libraries into this folder

$(VENV)/.python: requirements.txt requirements-dev.txt requirements-data.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found. Install Python 3.11 or set PYTHON=python3.12"; exit 1; }
	@echo "Installing Python packages into $(VENV) ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements-dev.txt)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r requirements-data.txt
	@touch $@

node_modules/.installed: package-lock.json | $(VENV)/.python
	@echo "Installing Azurite and pyright into node_modules ..."
	@npm ci --silent --no-progress
	@touch $@

lock: | $(VENV)/.python ## Recompute the pinned requirements after editing a .in file
	uv pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate requirements.in -o requirements.txt
	uv pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate requirements-dev.in -o requirements-dev.txt

format: setup ## Format the code
	ruff format . && ruff check --fix .

clean: ## Remove the local services' data and logs
	rm -rf .local .local-*
