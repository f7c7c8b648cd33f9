# Two commands do everything on a fresh machine: "make run" and "make test".
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say where with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "The venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

.venv/installed-run: .venv/bin/pip requirements.txt pyproject.toml
	$(PIP) --require-hashes --requirement requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed-run requirements-dev.txt
	$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@

.PHONY: run
run: .venv/installed-run ## Serve the form here, with a demo mailbox at /inbox
	@$(BIN)/reporter serve --demo --port $(PORT)

.PHONY: setup
setup: .venv/installed-dev ## Make .venv with everything that development needs

.PHONY: browser
browser: .venv/installed-dev ## Install the browsers of the tests, where there are none
	@$(BIN)/python tests/browser.py

.PHONY: test
test: .venv/installed-dev browser ## Run the whole suite
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: faults
faults: .venv/installed-dev ## Break everything that delivery depends on, and count what is lost
	@FAULTS=long $(BIN)/pytest --override-ini 'python_files=test_*.py long_*.py' \
		--numprocesses 3 tests/functional/faults

.PHONY: fuzz
fuzz: .venv/installed-dev ## Send garbage and walk in any order, for long
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-300} $(BIN)/pytest --timeout 3600 tests/test_fuzz.py

.PHONY: mutants
mutants: .venv/installed-dev ## Change the code in small ways and list what no test notices
	@$(BIN)/mutmut run --max-children 2 $(ONLY)
	@$(BIN)/mutmut results

.PHONY: lint
lint: .venv/installed-dev ## Check style, types, import layers, templates and catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/oxlint --quiet --deny-warnings reporter/static
	$(BIN)/pytest --quiet tests/test_catalogues.py

.PHONY: format
format: .venv/installed-dev ## Put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: catalogues
catalogues: .venv/installed-dev ## Bring the language catalogues up to date with the code
	@$(BIN)/python tests/catalogues.py

.PHONY: screenshots
screenshots: .venv/installed-dev browser ## Make screenshots of every page, in screenshots/
	@$(BIN)/python tests/screenshots.py

.PHONY: pictures
pictures: .venv/installed-dev browser ## Make the two pictures of the README anew
	@$(BIN)/python tests/screenshots.py --readme

.PHONY: example
example: .venv/installed-dev ## Write the example mail of docs/mail.md anew
	@$(BIN)/python tests/functional/test_example.py

.PHONY: helpdesks
helpdesks: .venv/installed-dev ## Feed the mails to real helpdesks, and write the table of docs/helpdesks
	@$(BIN)/python tests/helpdesks/run.py

.PHONY: bench
bench: .venv/installed-dev browser ## Measure everything side by side, into docs/figures.md
	@$(BIN)/python tests/bench

.PHONY: lock
lock: .venv/installed-dev ## Take newer versions of the dependencies into the lock files
	$(BIN)/$(LOCK) --upgrade --extra build --output-file requirements.txt
	$(BIN)/$(LOCK) --upgrade --extra build --extra dev --output-file requirements-dev.txt

.PHONY: clean
clean: ## Remove what was made here, except instance/
	rm -rf .venv build dist mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
