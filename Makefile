# Two commands: `make demo` and `make test`. Each installs what it needs into .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip of this machine installs into the environment, so that a Python without ensurepip will do.
PIP := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet --constraint constraints.txt

.PHONY: demo test lint types layers audit release clean

demo: $(VENV)/demo.installed
	rm -rf out/demo-class
	$(BIN)/python demo/make_class.py out/demo-class
	$(BIN)/graders grade pixelcnn out/demo-class -o out/demo
	@echo "Open out/demo/report.html in a browser."

test: $(VENV)/test.installed lint types layers
	$(BIN)/pytest

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test.installed
	$(BIN)/mypy

layers: $(VENV)/test.installed
	$(BIN)/lint-imports

audit: $(VENV)/demo.installed
	$(BIN)/graders audit pixelcnn

release: $(VENV)/demo.installed
	$(BIN)/graders release pixelcnn

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/demo.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[tensorflow,colab]'
	touch $@

$(VENV)/test.installed: $(VENV)/demo.installed
	$(PIP) --editable '.[tensorflow,torch,colab,dev]'
	touch $@

clean:
	rm -rf $(VENV) out
