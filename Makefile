# Everything goes through .venv/; `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# Sources are built by the setuptools locked in build.txt, so every file that runs here was hash-checked.
LOCKED := $(PIP) --no-build-isolation --require-hashes
LOCK_TOOLS := .lock-tools
COMPILE := $(LOCK_TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header
CODE := $(wildcard bianmin miniprogram_api handlers bot casework notify storage payment rules sandbox tests) requirements/audit.py docs

.DEFAULT_GOAL := help
.PHONY: help install install-dev run demo test check docs bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## create .venv and install what the service runs on

install-dev: $(VENV)/.installed-dev ## the same with what tests and checks need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "bianmin needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/build.txt requirements/base.txt requirements/engines.txt setup.cfg | $(BIN)/python
	$(LOCKED) -r requirements/build.txt
	$(LOCKED) -r requirements/base.txt
	$(LOCKED) --no-deps -r requirements/engines.txt
	$(PIP) --no-build-isolation --no-deps --no-index --editable .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	$(LOCKED) -r requirements/dev.txt
	@touch $@

run: install ## start engines, service, worker and sandbox; Ctrl-C stops all
	@exec $(BIN)/bianmin run

demo: install ## the whole story, hands-free; exit code 0 or 1
	@exec $(BIN)/bianmin demo

# One file's tests stay in one process, for they share a running service; each process has engines of its own.
test: install-dev ## run the tests (ARGS= for pytest)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

check: install-dev ## format, lint, types, import contracts, audit
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy --config-file setup.cfg
	$(BIN)/lint-imports --config setup.cfg
	@$(BIN)/python requirements/audit.py

docs: install ## draw the generated pages of docs/ again
	@$(BIN)/python -m docs.generate

bench: install-dev ## run the benchmarks (ONLY=name for one)
	@exec $(BIN)/python -m tests.bench $(ONLY)

lock: ## resolve the dependencies again (requirements/*.in to *.txt)
	@test -x $(LOCK_TOOLS)/bin/uv || { $(PYTHON) -m venv $(LOCK_TOOLS) && $(LOCK_TOOLS)/bin/pip install --quiet uv; }
	cd requirements && for name in build base dev; do ../$(COMPILE) $(UPGRADE) $$name.in -o $$name.txt || exit 1; done
	cd requirements && ../$(COMPILE) $(UPGRADE) --no-deps --prerelease allow engines.in -o engines.txt

clean: ## remove .venv and caches; the data in var/ stays
	rm -rf $(VENV) $(LOCK_TOOLS) *.egg-info build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
