# make app    start the application on http://127.0.0.1:8501 (PORT=9000 make app for another port)
# make test   run every test
# make lint   ruff and mypy
# The first run makes .venv and installs requirements.txt; later runs install only when it changed.

PORT ?= 8501
BASE_PYTHON := $(or $(shell command -v python3.11),$(shell command -v python3))
PYTHON := .venv/bin/python
INSTALLED := .venv/.requirements-installed

# Every process reads what the first one compiled, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: app test lint install
.DEFAULT_GOAL := app

app: install
	$(PYTHON) -m streamlit run app.py --server.port $(PORT)

test: install
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

lint: install
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

install: $(INSTALLED)

$(PYTHON):
	$(BASE_PYTHON) -m venv .venv

$(INSTALLED): requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	touch $@
