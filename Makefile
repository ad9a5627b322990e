# Two commands matter: `make drill` and `make test`. Each does all of its own set-up; a second run skips it.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help drill test lint format bench system venv mysql clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

drill: mysql ## Cut connections in every way there is and show who survives (ARGS='--server mariadb')
	@tools/run-drill $(ARGS)

test: mysql lint ## Run every check and every test (ARGS='-k commit')
	@tools/run-tests $(ARGS)

lint: venv ## Check style, types and the direction of imports
	@mkdir -p build
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > build/imports.log || { cat build/imports.log; exit 1; }

format: venv ## Put the code into the house format
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

bench: mysql ## Measure what stillhere costs, beside its peers
	@$(BIN)/python -m benchmarks $(ARGS)

system: ## Install the system packages that are missing (apt-get)
	@tools/system-packages $(PYTHON)

venv: ## Make the Python environment in .venv, nothing else
	@tools/venv $(PYTHON)

mysql: system venv ## Fetch a MySQL server into your cache, if the lab has none
	@tools/mysql-server

clean: ## Remove what was made here (.venv, build, caches); the cached MySQL server stays
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
