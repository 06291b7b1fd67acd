# The targets people use; `make help` lists them. Each one that needs it does the set-up first.

SHELL := /bin/bash
# The set-up compiles nothing: what is imported is compiled then, once. Where this is set, as in many images, never.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv/bin
APPROVE ?=
MODE ?= multi
ENGINE ?= cloudformation
SOURCES := app.py bench examples functions local mlops orchestrator slack_app stacks tests

.PHONY: help setup demo test tests test-all check lint types local-up local-down bench-demo golden lock

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything into .venv and node_modules (the first step of the targets below)
	@$(PYTHON) local/prepare.py

demo: setup ## the main job on the embedded cloud (APPROVE=ask|auto|reject, MODE=multi|single, ENGINE=cloudformation|codepipeline)
	@$(VENV)/python -m local.demo --mode $(MODE) --engine $(ENGINE) $(if $(APPROVE),--approve $(APPROVE))

test: setup tests ## all tests but the long ones, with the time of each suite

tests:
	@$(VENV)/python -m tests

test-all: setup ## all tests, the long ones too
	@$(VENV)/python -m tests --all

check: setup lint ## what CI runs: lint, types, templates, tests
	@$(MAKE) --no-print-directory --jobs=2 types tests

lint:
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/cfn-lint templates/*/template.yaml

types:
	@$(VENV)/mypy $(SOURCES)

local-up: setup ## bring the local installation up and leave it running (MODE, ENGINE)
	@$(VENV)/mlops local up --mode $(MODE) --engine $(ENGINE)

local-down: setup ## end the local installation
	@$(VENV)/mlops local down

bench-demo: setup ## measure one release: state transitions, AWS calls, time the orchestrator adds
	@$(VENV)/python -m bench.release

golden: setup ## rewrite the golden templates in tests/ after a change that was meant
	@$(VENV)/python -m pytest -q tests/stacks tests/templates --refresh-golden

lock: setup ## resolve requirements.lock anew from pyproject.toml
	@$(VENV)/python -m pip install --quiet uv
	@$(VENV)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --output-file requirements.lock
