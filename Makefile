# Everything happens in the project's own virtual environment; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python keeps what it compiled: where it may not, as in many images, every process compiles Dagster anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

$(VENV)/runtime: requirements.lock requirements-build.lock pyproject.toml
	$(PYTHON) scripts/make_environment.py $(VENV) requirements.lock
	@touch $@

$(VENV)/dev: requirements-dev.lock requirements-build.lock pyproject.toml
	$(PYTHON) scripts/make_environment.py $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/runtime

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/runtime ## Evaluate recorded answers to real questions, without key or service
	@$(BIN)/eval-pipeline demo

.PHONY: ui
ui: $(VENV)/runtime ## Dagster UI and daemon on the same data as the command line
	@$(BIN)/eval-pipeline up

.PHONY: test
test: $(VENV)/dev ## Every test, and beside them make check
	@$(MAKE) --no-print-directory -j 2 check suite

.PHONY: suite
suite: $(VENV)/dev
	@$(BIN)/pytest -n 3 --dist worksteal -m "not slow"

.PHONY: test-slow
test-slow: $(VENV)/dev ## Speech runs against every fault, kill, key and neighbour, and what takes long: some minutes
	@$(BIN)/pytest -n 3 --dist worksteal -m slow

.PHONY: check
check: $(VENV)/dev ## Format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/dev ## Speed and memory as ratios to limits measured in the same run
	@$(BIN)/python -m benchmarks

.PHONY: chaos
chaos: $(VENV)/dev ## Kill everything at random moments, some ten minutes; SEED=N repeats the chances
	@$(BIN)/python -m eval_pipeline_tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(KILLS),--kills $(KILLS))

.PHONY: faults
faults: $(VENV)/dev ## Every fault of a batch provider in every protocol, strictly judged, some ten minutes; COLUMN=text
	@$(BIN)/python -m eval_pipeline_tests.faults $(if $(COLUMN),--column "$(COLUMN)")

.PHONY: lock
lock: $(VENV)/dev ## Resolve the dependencies again into the lock files
	@$(BIN)/pip install --quiet uv
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --quiet --upgrade -o requirements.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --group build --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --quiet --upgrade -o requirements-build.lock
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --group dev --extra audio -c requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --quiet --upgrade -o requirements-dev.lock

.PHONY: docs
docs: $(VENV)/dev ## Write the generated documentation anew
	@$(BIN)/python scripts/write_docs.py
