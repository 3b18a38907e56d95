# Guardian: what people type. `make` alone lists it.

SHELL := /bin/sh
PYTHON_DIRS := bot probes messages tests bench
BIN := .venv/bin
WORKERS := -n auto --dist worksteal
RUN_STAMP := .venv/.installed-run
TEST_STAMP := .venv/.installed-test

.DEFAULT_GOAL := help
.PHONY: help install run check test test-fast soak bench format lock packages clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(RUN_STAMP) ## install the Guardian and its libraries into .venv, and start nothing

run: $(RUN_STAMP) ## install what is needed and start the Guardian with a Slack of its own (ARGS=… go to `guardian run`)
	@.ci/packages restic
	@GUARDIAN_STATE_DIRECTORY="$${GUARDIAN_STATE_DIRECTORY:-.guardian}" exec $(BIN)/guardian run --trial $(ARGS)

check: $(TEST_STAMP) ## lint, format, types, layers, shell scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(PYTHON_DIRS)
	$(BIN)/lint-imports
	@if command -v shellcheck >/dev/null; then echo 'shellcheck .ci/*' && shellcheck .ci/*; \
	else echo 'shellcheck is not installed: the scripts in .ci were not looked at'; [ -z "$$CI" ]; fi

test: $(TEST_STAMP) packages ## everything, with a real PostgreSQL and a real browser
	$(BIN)/python -m pytest -m 'not soak' $(WORKERS) $(ARGS)

test-fast: $(TEST_STAMP) ## what needs neither PostgreSQL nor a browser
	$(BIN)/python -m pytest -m 'not postgres and not browser and not soak' $(WORKERS) $(ARGS)

soak: $(TEST_STAMP) ## hundreds of runs with faults
	$(BIN)/python -m pytest -m soak $(WORKERS) $(ARGS)

bench: $(TEST_STAMP) ## measure, each figure against its floor
	$(BIN)/python -m bench $(ARGS)

format: $(TEST_STAMP) ## put the code in its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## choose the newest versions allowed and write both locks anew
	@.ci/lock

packages:
	@.ci/packages

clean: ## remove the environment and caches; the Guardian's state (.guardian) stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The tests' lock holds everything of the other one in the same versions: either serves `make run`.
$(RUN_STAMP): requirements.lock pyproject.toml .ci/environment
	@.ci/environment requirements.lock
	@touch $@

$(TEST_STAMP): tests/requirements.lock pyproject.toml .ci/environment
	@.ci/environment tests/requirements.lock
	@touch $@ $(RUN_STAMP)
