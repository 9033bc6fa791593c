# Every target works in a fresh clone: what it needs is installed into .venv first.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest
# Passed on to pytest: make test ARGUMENTS="-k age"
ARGUMENTS ?=
# A process for each core, up to four, each with whole files of tests, in the order that tests/conftest.py puts
# them in: the longest first. PARALLEL= for one alone.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# COVERAGE=1 measures in the same run which branches the tests take; `make coverage` reports it.
COVERAGE ?=

.PHONY: help setup backup test soak check static format style types layers covered-test coverage bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: .venv/.ready ## install the program into .venv
	@echo "ready: $(BIN)/archiver --help"

backup: .venv/.ready ## the main job, on the built-in sample export, in demo/
	@$(BIN)/archiver demo demo

test: .venv/.ready-test ## run all tests; what cannot run here is named at the end
	@$(PYTEST) $(PARALLEL) $(if $(COVERAGE),--cov --cov-report= --cov-fail-under=0) $(ARGUMENTS)

soak: .venv/.ready-test ## the tests that kill and break runs, with many more rounds
	@ARCHIVER_SOAK=1 $(PYTEST) tests/faults --timeout 3600 $(ARGUMENTS)

check: static covered-test coverage ## all that CI checks: format, lint, types, layers, tests, coverage

static: style types layers

style: .venv/.ready-test
	@$(BIN)/ruff format --check --quiet . || { echo "some files are not formatted: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .

types: .venv/.ready-test
	@$(BIN)/mypy

layers: .venv/.ready-test
	@$(BIN)/lint-imports --no-logo

covered-test:
	@$(MAKE) --no-print-directory test COVERAGE=1

coverage: .venv/.ready-test
	@$(BIN)/coverage report

format: .venv/.ready-test ## format the code and sort its imports
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix --select I .

bench: .venv/.ready-bench ## measure against the peers; write bench/RESULTS.md
	@$(BIN)/python -m bench $(ARGUMENTS)

clean: ## remove .venv, caches and what was built; demo/ with its keys stays
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	    .import_linter_cache .ci/node_modules bench/data *.egg-info
	find archiver tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# A file is the mark that an installation was completed; a later change of pyproject.toml renews it.
.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "archiver needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	      echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    echo "making .venv and installing archiver into it ..." >&2; \
	    $(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
	        echo "Python's venv module is needed; Debian has it in the package python3-venv." >&2; exit 1; }; \
	fi
	@$(PIP) install --editable '.[pdf]'
	@touch $@

.venv/.ready-test: .venv/.ready
	@echo "installing the tools that tests need ..." >&2
	@$(PIP) install --editable '.[test]'
	@touch $@

.venv/.ready-bench: .venv/.ready
	@echo "installing what the benchmarks compare with ..." >&2
	@$(PIP) install --editable '.[test,bench]'
	@touch $@
