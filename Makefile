# Everything goes through scripts/bootstrap.py, which makes the environment (.venv) on first use.
# Pass arguments with ARGS, as in: make test ARGS="-k taxonomy"; choose a Python with PYTHON=python3.12.

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) scripts/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help run test lint format docs bench chaos train up down lock release-check audit sbom coverage clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: ## Start everything and watch real products being classified (ARGS=--once: end after the summary)
	@$(BOOTSTRAP) run $(ARGS)

test: ## The whole test suite, with the real broker and store
	@$(BOOTSTRAP) test $(ARGS)

lint: ## Formatting, lint, types, the folders' import rules and the site's links
	@$(BOOTSTRAP) lint

format: ## Put the code in form
	@$(BOOTSTRAP) format

docs: ## Build the site of docs/ into build/docs; broken links fail
	@$(BOOTSTRAP) docs

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

release-check: ## Build sdist and wheel, and let the wheel classify products in an empty environment
	@$(BOOTSTRAP) release-check $(ARGS)

audit: ## Ask for known vulnerabilities of what is shipped
	@$(BOOTSTRAP) audit $(ARGS)

sbom: ## Write the bill of materials of what is shipped (CycloneDX) to dist/
	@$(BOOTSTRAP) sbom $(ARGS)

coverage: ## The test suite with its coverage: at least 90 % of lines in each folder that is held to it
	@$(BOOTSTRAP) coverage $(ARGS)

clean: ## Remove .venv, var and caches; refuses while aisle runs
	@$(PYTHON) scripts/bootstrap.py clean
