# make demo: a study of the bundled sample.   make test: lint, types, tests.
# Both make their own environment in .venv from hash-checked requirements.
# PYTHON=/path/to/python chooses the interpreter; else the newest of 3.13, 3.12, 3.11 that runs.

SHELL := /bin/sh
BOOT := .make/bootstrap
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_NO_PROGRESS := 1
# uv does not read pip's settings: hand on the index that pip was told to use.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.PHONY: demo test lint types unit docs bench lock clean format

demo: .make/core
	$(BIN)/ocm-geo demo -o demo-results

test: lint types unit

lint: .make/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .make/dev
	$(BIN)/mypy

unit: .make/dev
	$(BIN)/python -m pytest -q

docs: .make/dev
	$(BIN)/mkdocs build --strict --quiet
	@echo "Read site/index.html"

bench: .make/dev
	$(BIN)/python -m benchmarks

format: .make/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .make/uv
	for name in core dev; do \
	  extras=$$( [ $$name = dev ] && echo "--extra dev --extra notebooks --extra docs --extra maps --extra scale" ); \
	  $(BOOT)/bin/uv pip compile pyproject.toml requirements/build.in $$extras --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --no-header --quiet -o requirements/$$name.txt || exit 1; \
	done

clean:
	rm -rf .make .venv site demo-results build dist

.make/uv:
	@mkdir -p .make
	@sh scripts/find_python.sh > .make/python
	@echo "Python: $$(cat .make/python)"
	"$$(cat .make/python)" -m venv --clear $(BOOT)
	$(BOOT)/bin/python -m pip install --quiet "uv>=0.5"
	@touch $@

.venv/pyvenv.cfg: | .make/uv
	$(BOOT)/bin/uv venv --quiet --clear --python "$$(cat .make/python)" .venv

.make/core: requirements/core.txt pyproject.toml | .venv/pyvenv.cfg
	$(BOOT)/bin/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/core.txt
	$(BOOT)/bin/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.make/dev: requirements/dev.txt .make/core
	$(BOOT)/bin/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@
