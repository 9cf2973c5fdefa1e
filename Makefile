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
MEMBERS     := libs/storepulse libs/servicekit libs/kinesis_wire libs/faust_kinesis libs/dead_letters services/producer services/windower services/detector
IMAGES      := $(patsubst services/%/Dockerfile,%,$(wildcard services/*/Dockerfile))
LOCKS       ?= locks

.PHONY: help
help:  ## Show what this Makefile can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# one call, so that our own packages are never gone for a moment: $(call SYNC,environment,lock,our packages)
SYNC = printf -- '-e %s\n' $(addprefix ./,$(3)) > $(1)/ours.txt && VIRTUAL_ENV=$(1) $(UV) pip sync --quiet --verify-hashes locks/$(2).txt $(1)/ours.txt

# ---- environments: each is made once and made again when its lock or a member's pyproject.toml changes

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "Storepulse needs Python 3.11: '$(PYTHON)' is missing or another version. Install it, or call: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up: uv $(UV_VERSION)"
	@$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.done: locks/workspace.txt $(addsuffix /pyproject.toml,$(MEMBERS)) | .uv/bin/uv
	@echo "setting up: the workspace"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(call SYNC,.venv,workspace,$(MEMBERS))
	@VIRTUAL_ENV=.venv $(UV) pip check --quiet
	@touch $@

local/.venv/.done: locks/local.txt local/pyproject.toml | .uv/bin/uv
	@echo "setting up: the AWS account on this machine"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) local/.venv
	@$(call SYNC,local/.venv,local,local libs/storepulse)
	@touch $@

infra/.venv/.done: locks/infra.txt infra/pyproject.toml | .uv/bin/uv
	@echo "setting up: the infrastructure as code"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) infra/.venv
	@$(call SYNC,infra/.venv,infra,infra)
	@touch $@

flink/.venv/.done: locks/flink.txt flink/pyproject.toml | .uv/bin/uv
	@echo "setting up: Flink (800 MB, a minute)"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) flink/.venv
	@VIRTUAL_ENV=flink/.venv $(UV) pip sync --quiet --verify-hashes locks/flink.txt
	@touch $@

.tools/jre/.done: locks/jre.txt | .uv/bin/uv
	@echo "setting up: a Java runtime, as this machine has none that is new enough"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .tools/jre
	@VIRTUAL_ENV=.tools/jre $(UV) pip sync --quiet --require-hashes locks/jre.txt
	@touch $@

# the KCL's daemon needs Java 17 or newer; the machine's own is taken when there is one
.PHONY: java
java: local/.venv/.done
	@$(LOCAL_PY) -m local java >/dev/null 2>&1 || $(MAKE) --no-print-directory .tools/jre/.done

# Java starts with less than half of the CPU when it finds the daemon's classes in an archive; the detector works without it
.venv/share/storepulse/kcl.jsa: .venv/.done local/.venv/.done | java
	@echo "setting up: the class archive of the KCL's daemon"
	@JAVA_HOME="$$($(LOCAL_PY) -m local java)" $(PY) -m detector.kcl.class_archive

.PHONY: setup
setup: .venv/.done local/.venv/.done java .venv/share/storepulse/kcl.jsa  ## Make the environments

.PHONY: flink-setup flink-package
flink-setup: flink/.venv/.done java  ## Make the environment of the Flink job: 800 MB

flink-package:  ## Build the zip that Amazon Managed Service for Apache Flink runs (needs Maven and Maven Central)
	@command -v mvn >/dev/null || { echo "flink-package needs Maven ('mvn'), which is not installed" >&2; exit 1; }
	@cd flink && mvn --batch-mode --quiet -Dstyle.color=never package || { echo "flink-package: Maven could not build flink/pom.xml, see above. Does its repository have flink-connector-aws-kinesis-streams? Some mirrors lack it" >&2; exit 1; }
	@ls flink/target/*.zip

# ---- the two commands

.PHONY: demo test chaos parity bench
demo: setup  ## Run the whole chain on real data with planted bots, watch it live, check every event (SPEED=150, ENGINE=flink)
	@$(if $(ENGINE),LOCAL_ENGINE=$(ENGINE)) $(LOCAL_PY) -m local demo $(if $(SPEED),--speed $(SPEED))

test: setup infra/.venv/.done flink/.venv/.done  ## Pass all tests that need no container engine (TESTS=tests/unit for some, JOBS=1 in turn)
	@.venv/bin/pytest -m "not chaos and not parity and not containers" --numprocesses $(or $(JOBS),3) --dist loadfile $(or $(TESTS),tests)

chaos: setup  ## Kill every process again and again for minutes (KILLS=100); counts must stay exact and alerts single
	@$(if $(KILLS),KILLS=$(KILLS)) .venv/bin/pytest -m chaos -s tests/chaos

parity: setup flink/.venv/.done  ## Compare Flink, Faust and the pure model on hundreds of cases and a million events, for minutes
	@.venv/bin/pytest -m "not chaos" tests/parity tests/unit/flink

bench: setup  ## Measure each claim beside what it is compared with (BENCH=bench/windowing_pure.py for one)
	@for each in $(or $(BENCH),$(filter-out %/__init__.py,$(wildcard bench/*.py))); do \
	  grep -q '__main__' $$each || continue; echo "== $$each"; .venv/bin/python -m $$(echo $${each%.py} | tr / .) || exit 1; done

# ---- the platform on this machine

.PHONY: up down status logs
up: setup  ## Start everything on this machine and leave it running (LOCAL_EMULATOR_PORT=4666 moves every port)
	@$(LOCAL_PY) -m local up

down: | local/.venv/.done  ## Stop everything that `make up` started
	@$(LOCAL_PY) -m local down

status: | local/.venv/.done  ## Show how each service is
	@$(LOCAL_PY) -m local status

logs: | local/.venv/.done  ## Follow the logs of all services
	@$(LOCAL_PY) -m local logs

# ---- the platform in containers; these need Docker with compose v2 (docs/containers.md)

.PHONY: engine images compose-up compose-down compose-demo test-compose chaos-compose
engine:
	@docker version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 || \
	  { echo "This needs Docker with compose v2, and no engine answers ('docker version', 'docker compose version')" >&2; exit 1; }

images: engine  ## Build the image of every service, and show their sizes
	@docker compose build --quiet
	@docker image ls --filter 'reference=storepulse/*:$(or $(STOREPULSE_TAG),dev)' --format 'table {{.Repository}}\t{{.Size}}'

compose-up: images  ## Start the platform in containers and leave it running (PROFILE=observability adds Prometheus and Grafana)
	@docker compose $(addprefix --profile ,$(PROFILE)) up --wait

compose-down: engine  ## Remove the platform's containers, network and volumes
	@docker compose --profile '*' down --volumes --remove-orphans

compose-demo: images | local/.venv/.done  ## Run the demo on containers: the same replay, the same verdict, nothing left (SPEED=150)
	@$(LOCAL_PY) -m local compose-demo $(if $(SPEED),--speed $(SPEED))

test-compose: setup images  ## Test the images and the platform in containers, crashes and partitions included
	@.venv/bin/pytest -m "containers and not chaos" --durations=5 tests/containers

chaos-compose: setup images  ## Trouble containers at random for many minutes; counts must stay exact and alerts single
	@.venv/bin/pytest -m "containers and chaos" -s tests/containers

# ---- infrastructure as code

.PHONY: infra-synth
infra-synth: infra/.venv/.done  ## Write the emulator's template again from infra/
	@$(INFRA_PY) -m infra synth --local --output local/templates/data.json

.PHONY: lock
lock: | .uv/bin/uv  ## Pin every dependency again (what is pinned and still fits stays as it is; UPGRADE=--upgrade moves all)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) \
	  $(foreach m,$(notdir $(MEMBERS)),--no-emit-package $(m)) --group pyproject.toml:dev pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS)) -o $(LOCKS)/workspace.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) --no-emit-package storepulse local/pyproject.toml -o $(LOCKS)/local.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) infra/pyproject.toml -o $(LOCKS)/infra.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) --group local/pyproject.toml:jre -o $(LOCKS)/jre.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) flink/pyproject.toml -o $(LOCKS)/flink.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE) --group pyproject.toml:images -o $(LOCKS)/images.txt
	for each in $(IMAGES); do $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --constraints $(LOCKS)/workspace.txt \
	  $(foreach m,$(notdir $(MEMBERS)),--no-emit-package $(m)) services/$$each/pyproject.toml -o $(LOCKS)/$$each.txt || exit 1; done

# ---- check: each step is one line, and shows what it found when it fails; `make -k check` goes on after a failure

CHECKS := lint format types types-local types-infra types-flink architecture dependencies lengths commits environments locks
STEP    = @printf '  %-14s' '$(@:check-%=%)'; if found=$$( { $(1); } 2>&1 ); then echo ok; else echo FAILED; printf '%s\n' "$$found"; exit 1; fi

.PHONY: check $(addprefix check-,$(CHECKS))
check: $(addprefix check-,$(CHECKS))  ## Lint, format, types, architecture contracts, dependencies, locks

$(addprefix check-,$(CHECKS)): .venv/.done
check-types-local check-environments: local/.venv/.done
check-types-infra check-environments: infra/.venv/.done

check-lint:
	$(call STEP,.venv/bin/ruff check --quiet)

check-format:
	$(call STEP,.venv/bin/ruff format --check --quiet)

check-types:
	$(call STEP,.venv/bin/mypy libs services tests $(if $(wildcard bench/*.py),bench))

# local/ is checked with the workspace's packages: the type stubs are there, and all that local/ imports
check-types-local:
	$(call STEP,MYPYPATH=local/src .venv/bin/mypy --cache-dir .mypy_cache/local local/src)

check-types-infra:
	$(call STEP,MYPYPATH=infra/src .venv/bin/mypy --cache-dir .mypy_cache/infra --python-executable $(INFRA_PY) infra/src)

# PyFlink has no types of its own, so its environment is not needed to look at ours
check-types-flink:
	$(call STEP,.venv/bin/mypy --cache-dir .mypy_cache/flink --ignore-missing-imports flink/*.py)

check-architecture:
	$(call STEP,.venv/bin/lint-imports --no-cache)

check-dependencies:
	$(call STEP,bad=0; for each in $(MEMBERS); do echo "$$each:"; ( cd $$each && $(CURDIR)/.venv/bin/deptry --no-ansi src ) || bad=1; done; [ $$bad = 0 ])

check-lengths:
	$(call STEP,find libs services local/src infra/src flink/*.py tests bench -name '*.py' -exec wc -l {} + | awk '$$2 != "total" && $$1 > 300 { print $$2 " has " $$1 " lines: 300 at most"; bad = 1 } END { exit bad }')

# commits after the one from which the rule holds; a tree without its history has none
check-commits:
	$(call STEP,[ ! -e .git ] || git log --format='%h %s' af01e92.. | awk 'length($$0) > length($$1) + 73 { print "over 72 characters: " $$0; bad = 1 } END { exit bad }')

check-environments:
	$(call STEP,for each in . local infra $(if $(wildcard flink/.venv/.done),flink); do echo "$$each:" && VIRTUAL_ENV=$$each/.venv $(UV) pip check || exit 1; done)

# what the pyproject.toml files ask for, resolved anew with the committed locks as the preference, must be the committed locks
check-locks:
	$(call STEP,again=$$(mktemp -d) && trap 'rm -rf "$$again"' EXIT && cp locks/*.txt "$$again" && $(MAKE) --silent lock LOCKS="$$again" >/dev/null && diff -u locks "$$again")
