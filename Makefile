# Everything a user or CI runs. `make demo` and `make test` need nothing but Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench faults safe-state long mutants fuzz docs clean

help:  ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run  ## one full charging session on the virtual bench, with verdicts
	$(BIN)/pilotbench run

test: $(VENV)/.dev  ## all tests, three files at a time
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## measurements, ten minutes on a quiet machine: CAN, meters, stamps, recording, engine, OCPP
	$(BIN)/python -m pytest tests/benchmarks -s -m benchmark

faults: $(VENV)/.dev  ## every fault against every rule, every oddity and 50 clean sessions against none (an hour)
	$(BIN)/python tests/support/fault_report.py

safe-state: $(VENV)/.dev  ## the bench dies in every way, in every state: is everything dead, and when? (half an hour)
	cd tests/support && $(abspath $(BIN))/python -m safe_state.table --jobs 4 --write $(abspath docs/safe-state.md)

long: $(VENV)/.dev  ## proofs that take minutes: 200,000 runs of the engine, 100,000 stamps of the back end
	$(BIN)/python -m pytest tests/unit tests/contract tests/integration/csms -s -m long

mutants: $(VENV)/.dev  ## seeded bugs of the rule engine, each of which has to be caught by a test (minutes)
	$(BIN)/python -m pytest tests/long/test_mutants.py -s -m long

fuzz: $(VENV)/.dev  ## a million mutated frames at the back end per OCPP version (SEED=7 repeats a run; minutes)
	$(BIN)/python tests/support/ocpp_fuzz.py --frames 1000000 $(if $(SEED),--seed $(SEED))

docs: $(VENV)/.dev  ## the commands and pages of the documentation, executed and checked
	$(BIN)/python -m pytest tests/e2e/test_readme.py

clean:  ## remove the environment and what runs left behind
	rm -rf $(VENV) runs build dist *.egg-info
