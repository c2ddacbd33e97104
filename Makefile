# `make demo` and `make test` need Python 3.11 or newer and a package index; everything else they fetch themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

PYTEST := $(BIN)/python -m pytest
# Two workers; the tests of a file share one, so that a server they share is started once.
PARALLEL := -n 2 --dist loadfile

.PHONY: help demo test check format bench nightly clean
.DEFAULT_GOAL := help

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Record, replay and deviate against a real S3 implementation on loopback
	@$(BIN)/durable-replay demo

test: $(READY) ## Every test but the nightly ones
	@$(PYTEST) $(PARALLEL) -m "not nightly" $(ARGS)

check: $(READY) ## Lint, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Put the sources into their one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## Speed, as ratios to a bare server and to mitmproxy in the same run
	@$(BIN)/python -m benchmarks

nightly: $(READY) ## Everything, with long property runs and large bodies
	@HYPOTHESIS_PROFILE=nightly $(PYTEST) $(PARALLEL) --timeout 3600 $(ARGS)

clean: ## Remove what make made
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# The stamp is as new as the last installation of what pyproject.toml asks for.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"durable-replay needs Python 3.11 or newer; this is {v.major}.{v.minor}. Name another one: make PYTHON=python3.12")'
	@echo "Installing durable-replay and its tools into $(VENV) (once; some minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@
