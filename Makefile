# Everything runs in .venv, which needs nothing but Python 3.11 to 3.13 and make.
# Another interpreter: make PYTHON=python3.12 test

PYTHON ?= python3
PYTEST_WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
DEPS := $(VENV)/.deps.stamp
ENV := $(VENV)/.env.stamp

# One thread per encoder: more are slower for short texts. No library may phone home.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export TOKENIZERS_PARALLELISM := false
export ANONYMIZED_TELEMETRY := False
export LANGSMITH_TRACING := false
export DO_NOT_TRACK := 1
export HF_HUB_OFFLINE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help env model run test test-browser screenshots check format bench soak crashes lock clean

help:
	@echo "make run           install everything, ingest the sample knowledge base, serve"
	@echo "make test          the policy tests of the bundle, some mutations of it, and all tests but the browser ones"
	@echo "make test-browser  tests that drive a real browser; they need Chromium, Node.js and npm"
	@echo "make screenshots   take the pictures of the documentation again"
	@echo "make check         lint, format, types, import direction, policy with its proofs"
	@echo "make format        rewrite the code in the house format"
	@echo "make bench         latency of decisions, guards and turns"
	@echo "make soak          a million random behaviours of a model; SOAK=\"--gate 10000 --flow 500\" for fewer"
	@echo "make crashes       kill -9 at every point of a write, three hundred times; CRASHES=\"--kills 50\" for fewer"
	@echo "make lock          resolve the dependencies again"
	@echo "make clean         remove what the other targets made"

env: $(ENV)

$(DEPS): requirements-dev.lock
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Handrail needs Python 3.11 to 3.13; '$(PYTHON)' was not found. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Handrail needs Python 3.11 to 3.13; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(ENV): $(DEPS) pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

model: $(ENV)
	$(BIN)/handrail model install

run: model
	$(BIN)/handrail kb ingest
	$(BIN)/handrail serve

test: model
	$(BIN)/handrail policy test
	$(BIN)/handrail policy mutate --count 60
	$(BIN)/python -m pytest -m "not browser" -n $(PYTEST_WORKERS)

test-browser: model
	$(BIN)/python -m pytest -m browser

screenshots: model
	$(BIN)/python -m tests.browser.screenshots docs/images

check: $(ENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p handrail -p tests
	$(BIN)/lint-imports
	$(BIN)/handrail policy lint
	$(BIN)/handrail policy prove

format: $(ENV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: model
	$(BIN)/handrail bench policy
	$(BIN)/handrail bench guard
	$(BIN)/handrail bench turn

soak: model
	$(BIN)/python -m handrail.evals.chaos.soak $(SOAK)

crashes: model
	$(BIN)/python -m handrail.evals.chaos.crashes --kills 300 $(CRASHES)

# uv resolves for every supported Python and platform at once; it lives in a scratch environment and is not a dependency.
LOCK := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --all-extras pyproject.toml

lock:
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(PYTHON) -m venv "$$scratch" && "$$scratch/bin/python" -m pip install --quiet uv && \
	"$$scratch/bin/uv" $(LOCK) --output-file requirements.lock && \
	"$$scratch/bin/uv" $(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
