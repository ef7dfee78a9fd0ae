# Two commands: `make demo` and `make test`. Each installs what it needs into .venv, once. `make demo-jem`, `make
# demo-colourization` and `make demo-denoising` grade the classes of the other assignments, `make demo-all` all of them.
# `make bench` (QUICK=1 for three minutes of it) measures the speed beside otter-grader and nbgrader, which go into an
# environment of their own; `make gpu` runs tests/gpu on a machine with a GPU, in another: docs/gpu-runner.md.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-bench
GPU := .venv-gpu
# Which of them must see the GPU; where one does not, nothing passes.
FRAMEWORKS ?= torch,tensorflow
BIN := $(VENV)/bin
ASSIGNMENTS := $(patsubst rubrics/%.toml,%,$(sort $(wildcard rubrics/*.toml)))
# pip of this machine installs into the environment, so that a Python without ensurepip will do.
PIP := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet --constraint constraints.txt

# The made-up classes of the other assignments.
DEMOS := $(addprefix demo-,jem colourization denoising)

.PHONY: demo demo-all $(DEMOS) test bench gpu lint types layers audit release clean

demo: $(VENV)/demo.installed
	rm -rf out/demo-class
	$(BIN)/python demo/make_class.py out/demo-class
	$(BIN)/graders grade pixelcnn out/demo-class -o out/demo
	@echo
	@echo "One of them through all tiers: handed in without outputs, it lacks the points that are read off them ..."
	$(BIN)/graders grade pixelcnn out/demo-class/adams -o out/demo-tiers --tier behaviour,record,execute
	@echo
	@echo "... and handed in as that run left it, with outputs; equal code is not run again."
	mkdir -p out/demo-executed
	cp out/demo-tiers/students/adams/executed.ipynb out/demo-executed/adams.ipynb
	$(BIN)/graders grade pixelcnn out/demo-executed/adams.ipynb -o out/demo-tiers --tier behaviour,record,execute
	@echo "Open in a browser: out/demo/report.html (the class) and out/demo-tiers/students/adams/report.html (all tiers);"
	@echo "in Jupyter: out/demo-tiers/students/adams/executed.ipynb (the notebook as it was run)."

demo-all: demo $(DEMOS)

demo-jem: $(VENV)/demo.installed
demo-colourization demo-denoising: $(VENV)/demo-torch.installed
$(DEMOS): demo-%:
	rm -rf out/demo-class-$*
	$(BIN)/python demo/make_class.py out/demo-class-$* $*
	$(BIN)/graders grade $* out/demo-class-$* -o out/$@ --tier behaviour,record --time-limit 10
	@echo "Open in a browser: out/$@/report.html"

test: $(VENV)/test.installed lint types layers
	$(BIN)/pytest

bench: $(VENV)/test.installed $(PEERS)/otter/installed $(PEERS)/nbgrader/installed
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

gpu: $(GPU)/installed
	$(if $(strip $(FRAMEWORKS)),,$(error FRAMEWORKS is empty: name torch, tensorflow or both with a comma between))
	GRADERS_REQUIRE_GPU=$(FRAMEWORKS) $(GPU)/bin/pytest -rs tests/gpu

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --quiet --offline --strict-collection --pedantic .github

types: $(VENV)/test.installed
	$(BIN)/mypy

layers: $(VENV)/test.installed
	$(BIN)/lint-imports

audit: $(VENV)/test.installed
	$(foreach slug,$(ASSIGNMENTS),$(BIN)/graders audit $(slug) &&) true

# All of them: each kit knows the version of all probes.
release: $(VENV)/test.installed
	$(foreach slug,$(ASSIGNMENTS),$(BIN)/graders release $(slug) &&) true

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/demo.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[tensorflow,colab,execute]'
	touch $@

$(VENV)/demo-torch.installed: $(VENV)/demo.installed
	$(PIP) --editable '.[tensorflow,torch,colab,execute]'
	touch $@

$(VENV)/test.installed: $(VENV)/demo-torch.installed
	$(PIP) --editable '.[tensorflow,torch,colab,execute,dev]'
	touch $@

# The TensorFlow of .venv has no GPU in it, and both would be one package; versions are those of constraints.txt.
$(GPU)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv --without-pip $(GPU)
	$(PYTHON) -m pip --disable-pip-version-check --python $(GPU)/bin/python install --quiet \
		--constraint constraints.txt --editable '.[gpu,colab,execute,dev]'
	touch $@

# Each peer sees the packages of .venv (torch above all) and installs what it lacks, or wants in another version. They
# live apart: what nbgrader brings along makes every start of otter-grader two seconds slower.
$(PEERS)/%/installed: benchmarks/%.txt $(VENV)/test.installed
	rm -rf $(@D)
	$(PYTHON) -m venv --without-pip $(@D)
	$(BIN)/python -c 'import sys; print(*[p for p in sys.path if "site-packages" in p], sep="\n")' \
		> "$$($(@D)/bin/python -c 'import site; print(site.getsitepackages()[0])')/venv.pth"
	$(PYTHON) -m pip --disable-pip-version-check --python $(@D)/bin/python install --quiet --requirement $<
	touch $@

clean:
	rm -rf $(VENV) $(PEERS) $(GPU) out
