# Two commands do everything on a machine that has Python >= 3.11 and make: `make nightly` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The repository is the reference workspace; make nightly WORKSPACE=FOLDER runs another, made if it is not there.
WORKSPACE ?= .
LOOP ?= workspace-loop
# tickets or assistant
STORY ?= tickets
SLOW := and not slow
# The lock names every package with its hash, so pip need not resolve anything.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: nightly serve loop test test-all lint typecheck unit kusto acceptance conformance train-test perf claim lock sbom audit clean help
.DEFAULT_GOAL := help

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

nightly: $(VENV)/run.stamp $(WORKSPACE)/driftgate.yaml  ## Benchmark the workspace, judge it, write a report
	$(BIN)/driftgate nightly --workspace $(WORKSPACE)

# Where nobody set a key, one is made for as long as it runs.
serve: $(VENV)/run.stamp $(WORKSPACE)/driftgate.yaml  ## Serve the workspace: schedule, console and HTTP API on 127.0.0.1
	@if [ -z "$$DRIFTGATE_TOKEN" ]; then \
	  DRIFTGATE_TOKEN=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(24))'); export DRIFTGATE_TOKEN; \
	  echo "sign in with $$DRIFTGATE_TOKEN"; \
	fi; exec $(BIN)/driftgate serve --workspace $(WORKSPACE)

loop: $(VENV)/train.stamp  ## Show the whole loop: watch, notice, repair, prove, promote (minutes of computing)
	rm -rf $(LOOP)
	$(BIN)/driftgate demo loop $(LOOP) --story $(STORY)

test: $(VENV)/dev.stamp lint typecheck unit  ## Lint, check types and imports, run the quick tests

test-all: SLOW :=
test-all: test  ## The same with every test (an hour)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

typecheck: $(VENV)/dev.stamp
	$(BIN)/mypy

# Two workers share the processors; threads of a numerical library in each would only wait for one another. The tests
# begin some thousand processes, which compile everything anew where Python is told to keep no bytecode.
unit: $(VENV)/dev.stamp kusto
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest \
	  -n 2 --dist loadfile -m "not acceptance and not train $(SLOW)"

# Without it the tests say that they skip the check, and run the queries on DuckDB all the same.
kusto:  ## Microsoft's own KQL engine, from the npm registry, which the tests check the Azure queries with
	@if [ -d tests/monitor/azure/node_modules/@kusto ]; then :; \
	elif command -v npm >/dev/null && npm install --prefix tests/monitor/azure --no-audit --no-fund --silent; then :; \
	else echo "Microsoft's KQL engine cannot be had (npm): queries are not checked by it, and the tests skip that"; fi

acceptance: $(VENV)/dev.stamp  ## Slow runs; those against recorded models need ../shared/data beside the project
	$(BIN)/python -m pytest tests -m acceptance

conformance: $(VENV)/dev.stamp  ## Print what either engine and prompt flow alone make of every conformance flow
	$(BIN)/python tests/flows/conformance/three.py

train-test: $(VENV)/dev.stamp $(VENV)/train.stamp  ## Tests that train small models (minutes of computing)
	$(BIN)/python -m pytest tests/finetune -m train

perf: $(VENV)/dev.stamp  ## Throughput next to a bare loop (needs ../shared/data beside the project)
	$(BIN)/python -m benchmarks.perf.throughput
	$(BIN)/python -m benchmarks.perf.whole_kmmlu

claim: $(VENV)/dev.stamp  ## Check a published claim on recorded answers (needs ../shared/data; see docs/claim.md)
	$(BIN)/python -m benchmarks.perf.claim

lock:  ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra all --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --constraints requirements/dev.lock -o requirements/run.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --constraints requirements/run.lock -o requirements/dev.lock
	$(INSTALL) --require-hashes -r requirements/dev.lock
	$(BIN)/python requirements/serve.py

sbom: $(VENV)/dev.stamp  ## Bill of materials (CycloneDX) and list of licences, from the lock, into build/
	$(BIN)/python requirements/sbom.py build

audit:  ## Look up known vulnerabilities of every locked package (asks the network; pip-audit gets its own environment)
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	build/audit/bin/pip-audit --disable-pip --require-hashes -r requirements/run.lock
	build/audit/bin/pip-audit --disable-pip --no-deps -r finetune/requirements.txt

clean:  ## Remove the virtual environment and everything generated
	rm -rf $(VENV) $(WORKSPACE)/.driftgate $(WORKSPACE)/reports $(LOOP) build dist *.egg-info

$(WORKSPACE)/driftgate.yaml: | $(VENV)/run.stamp
	$(BIN)/driftgate init $(WORKSPACE)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing driftgate into $(VENV), once"
	$(INSTALL) --require-hashes -r requirements/run.lock
	$(INSTALL) --no-build-isolation --editable .
	@touch $@

# The processor build of torch differs from index to index, so it is pinned by version and not by hash.
$(VENV)/train.stamp: finetune/requirements.txt | $(VENV)/run.stamp
	@echo "installing what training needs into $(VENV), once"
	$(INSTALL) -r finetune/requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing driftgate and its development tools into $(VENV), once"
	$(INSTALL) --require-hashes -r requirements/dev.lock
	$(INSTALL) --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp
