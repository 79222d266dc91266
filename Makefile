# Upshot. `make demo` shows it with a history; `make test` runs the whole suite; `make run` starts empty.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
export PORT
export PYTHONDONTWRITEBYTECODE ?= 1
PYTEST := $(BIN)/python -m pytest

.PHONY: help install install-dev install-pdf demo run test test-browser test-services check ci bench bench-attribution mutants soak lock golden openapi clean

help:
	@echo "make demo           install, make a 90-day demo history, serve it on http://127.0.0.1:$(PORT)"
	@echo "make test           install what the tests need, run the whole suite"
	@echo "make run            an empty instance with its first-run page"
	@echo "make check          format, lint, types, import contracts, migrations (quick)"
	@echo "make test-services  tests on PostgreSQL, Redis and RabbitMQ"
	@echo "make test-browser   tests in Chromium"
	@echo "make ci             what CI runs"
	@echo "make bench, make soak, make mutants   long measurements"

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Upshot needs Python 3.11 or newer: install it (Debian: apt-get install python3.11 python3.11-venv) or say where it is: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "this Python has no venv module (Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing (about half a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

# Reports as PDF: the extra `pdf`. Needs Pango and a font (Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core)
install-pdf: install
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-pdf.txt

demo: install
	@$(BIN)/python manage.py start --demo

run: install
	@$(BIN)/python manage.py start

test: install-dev
	@$(PYTEST) -q -n auto -m "not browser and not services and not scale" $(ARGS)

test-browser: install-dev
	@$(PYTEST) -q -m browser tests/browser $(ARGS)

test-services: install-dev
	@./.ci/services

check: install-dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > /dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/python manage.py makemigrations --check --dry-run -v0
	@echo "check: ok"

ci:
	@./.ci/run

# ARGS=--quick: a tenth of the events, two minutes on a quiet machine
bench: install-dev
	@$(BIN)/python -m bench $(ARGS)

# SEEDS=1-40 FAMILIES=public: drawn histories through the replay command, scored beside five naive rules
bench-attribution: install-dev
	@$(BIN)/python bench/attribution.py --seeds $(or $(SEEDS),1-40) --families $(or $(FAMILIES),public) --by-family

# Changes the core one operator at a time; MODULES="slo dora" for some of it
mutants: install-dev
	@$(BIN)/python bench/mutants.py $(MODULES) $(ARGS)

soak: install-dev
	@$(PYTEST) -q tests/incidents/test_kill.py tests/incidents/test_backpressure.py tests/incidents/test_bad_bodies.py tests/incidents/actions/test_order.py tests/deploys/api/test_documented_answers.py --soak

# New versions: change pyproject.toml, then make lock. The lock holds names, versions and hashes, no addresses.
lock: install-dev
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements.txt
	@$(BIN)/uv pip compile pyproject.toml --extra pdf -c requirements.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements-pdf.txt
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements-dev.txt

# What the mail and the PDF of a report say, written anew from the code; look at the difference
golden: install-dev
	@RENEW_GOLDEN=1 $(PYTEST) -q tests/reliability/views/test_report_mail.py tests/reliability/views/test_report_pdf.py

openapi: install-dev
	@$(BIN)/python manage.py spectacular --file docs/api/openapi.yaml

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
