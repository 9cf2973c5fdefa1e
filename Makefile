# Storepulse: `make demo` and `make test` set up all they need on a machine with Python 3.11 and make.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON      ?= python3.11
UV_VERSION  := 0.13.8
export UV   := $(CURDIR)/.uv/bin/uv
PY          := $(CURDIR)/.venv/bin/python
LOCAL_PY    := $(CURDIR)/local/.venv/bin/python
INFRA_PY    := $(CURDIR)/infra/.venv/bin/python
MEMBERS     := libs/storepulse libs/servicekit libs/faust_kinesis services/producer services/windower services/detector
EDITABLES   := $(addprefix --editable ,$(MEMBERS))

.PHONY: help
help:  ## Show what this Makefile can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- environments: each is made once and made again when its lock or a member's pyproject.toml changes

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "Storepulse needs Python 3.11: '$(PYTHON)' is missing or another version. Install it, or call: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up: uv $(UV_VERSION)"
	@$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.done: locks/workspace.txt $(addsuffix /pyproject.toml,$(MEMBERS)) | .uv/bin/uv
	@echo "setting up: the workspace"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes locks/workspace.txt
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps $(EDITABLES)
	@VIRTUAL_ENV=.venv $(UV) pip check --quiet
	@touch $@

local/.venv/.done: locks/local.txt local/pyproject.toml | .uv/bin/uv
	@echo "setting up: the AWS account on this machine"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) local/.venv
	@VIRTUAL_ENV=local/.venv $(UV) pip sync --quiet --require-hashes locks/local.txt
	@VIRTUAL_ENV=local/.venv $(UV) pip install --quiet --no-deps --editable local
	@touch $@

infra/.venv/.done: locks/infra.txt infra/pyproject.toml | .uv/bin/uv
	@echo "setting up: the infrastructure as code"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) infra/.venv
	@VIRTUAL_ENV=infra/.venv $(UV) pip sync --quiet --require-hashes locks/infra.txt
	@VIRTUAL_ENV=infra/.venv $(UV) pip install --quiet --no-deps --editable infra
	@touch $@

.PHONY: setup
setup: .venv/.done local/.venv/.done  ## Make the environments

.PHONY: lock
lock: | .uv/bin/uv  ## Pin every dependency again (what is pinned and still fits stays as it is; UPGRADE=--upgrade moves all)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) \
	  $(foreach m,$(notdir $(MEMBERS)),--no-emit-package $(m)) --group pyproject.toml:dev pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS)) -o locks/workspace.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) local/pyproject.toml -o locks/local.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) infra/pyproject.toml -o locks/infra.txt
