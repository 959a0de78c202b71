# Everything runs in .venv, made on first use: a fresh clone needs only Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test check bench bench-tabular

help:
	@echo "make demo    synthesize the bundled bank table, judge it, write masquerade-demo/"
	@echo "make test    run the tests"
	@echo "make check   format, lint, types, import floors"
	@echo "make bench   measure Masquerade beside its peers (ARGS=--quick: two minutes)"
	@echo "make bench-tabular   every synthesizer beside its peers on fifteen tables (hours)"

demo: $(VENV)/.installed
	@$(VENV)/bin/masquerade demo

test: $(VENV)/.installed-dev
	@$(PY) -m pytest -n 2 --dist loadfile -m "not slow"

check: $(VENV)/.installed-dev
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

bench: $(VENV)/.installed-dev
	@$(PY) benchmarks/run.py $(ARGS)

bench-tabular: $(VENV)/.installed-dev
	@$(PY) benchmarks/tabular.py $(ARGS)

$(PY):
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making $(VENV) with $$("$$python" --version)"; \
			exec "$$python" -m venv $(VENV); \
		fi; \
	done; \
	echo "error: Masquerade needs Python 3.11 or newer; install one, or name it: make PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(VENV)/.installed: pyproject.toml constraints.txt | $(PY)
	@echo "Installing Masquerade into $(VENV) (once, a minute or two)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(PY)
	@echo "Installing Masquerade and its tools into $(VENV) (once, a minute or two)"
	@$(PIP) --editable '.[dev]'
	@touch $(VENV)/.installed $@
