# Everything goes through scripts/bootstrap.py, which makes the environment (.venv) on first use.
# Pass arguments with ARGS, as in: make test ARGS="-k taxonomy"; choose a Python with PYTHON=python3.12.

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) scripts/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench chaos train up down lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Start everything and watch real products being classified (ARGS=--once: end after the summary)
	@$(BOOTSTRAP) run $(ARGS)

test: ## The whole test suite, with the real broker and store
	@$(BOOTSTRAP) test $(ARGS)

lint: ## Formatting, lint, types and the folders' import rules
	@$(BOOTSTRAP) lint

format: ## Put the code in form
	@$(BOOTSTRAP) format

bench: ## Measure stream and model beside others (ARGS=stream or ARGS=model: one of them)
	@$(BOOTSTRAP) bench $(ARGS)

chaos: ## Kill things under load and count what is left (ARGS=--ci: the small form, 5 minutes)
	@$(BOOTSTRAP) chaos $(ARGS)

train: ## Train a model, as in: make train ARGS=products.csv
	@$(BOOTSTRAP) train $(ARGS)

up: ## Services, topics and workers, until Ctrl-C
	@$(BOOTSTRAP) up $(ARGS)

down: ## Stop what `make up` started
	@$(BOOTSTRAP) down $(ARGS)

lock: ## Resolve the dependencies anew and write the lock files
	@$(BOOTSTRAP) lock $(ARGS)

clean: ## Remove .venv, var and caches; refuses while aisle runs
	@$(PYTHON) scripts/bootstrap.py clean
