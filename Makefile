# make demo: a study of the bundled sample, and the sample served.   make test: lint, types, tests.
# make docs: the documentation.   make oldest: the unit tests with the oldest packages allowed.
# make test-all: test, docs and oldest, as .ci/run does.
# Each makes its own environment in .venv or .venv-oldest from hash-checked requirements.
# PYTHON=/path/to/python chooses the interpreter; else the newest of 3.13, 3.12, 3.11 that runs.

SHELL := /bin/sh
BOOT := .make/bootstrap
BIN := .venv/bin
LOCK := $(BOOT)/bin/uv pip compile pyproject.toml requirements/build.in --universal --quiet \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_NO_PROGRESS := 1
# The machine's own certificates, as pip uses them; the older and the newer name.
export UV_NATIVE_TLS ?= 1
export UV_SYSTEM_CERTS ?= 1
# uv does not read pip's settings: hand on the index that pip was told to use.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.PHONY: demo test test-all lint types unit docs oldest bench lock environment names release clean format

demo: .venv/.core
	$(BIN)/ocm-geo demo -o demo-results
	$(BIN)/python examples/served_mirror.py demo-results/served-mirror

test:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory unit

# Mutated records, kills and flipped bits: so many times the usual number.
test-all: export OCM_GEO_TEST_EFFORT ?= 10
test-all:
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory docs
	@$(MAKE) --no-print-directory oldest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

unit: .venv/.dev
	$(BIN)/python -m pytest -q -n auto --dist loadfile

docs: .venv/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	OCM_GEO_SITE=site $(BIN)/python -m pytest -q tests/site
	@echo "Read site/index.html"

# What old packages say of newer ones is no error; our own warnings are.
OLD := $(foreach kind,Deprecation PendingDeprecation Future Resource Syntax,-W ignore::$(kind)Warning)
oldest: .venv-oldest/.oldest
	.venv-oldest/bin/python -m pytest -q tests/unit --ignore=tests/unit/test_docs.py $(OLD) -p no:cacheprovider

bench: .venv/.dev
	$(BIN)/python -m benchmarks

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(BOOT)/ready
	$(LOCK) --extra server -o requirements/core.txt
	$(LOCK) --extra dev --extra notebooks --extra docs --extra maps --extra scale --extra routing --extra siting \
	  --extra server -o requirements/dev.txt
	$(LOCK) --resolution lowest-direct requirements/oldest.in -o requirements/oldest.txt

environment: .venv/.dev
	$(BIN)/python scripts/make_environment.py

# After a change of public names that is meant; read the difference.
names: .venv/.dev
	$(BIN)/python scripts/make_public_names.py

# Both archives, as they would be published.
release: .venv/.dev
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

clean:
	rm -rf .make .venv .venv-oldest site demo-results build dist

$(BOOT)/ready: scripts/find_python.sh
	@mkdir -p .make
	@PYTHON="$(PYTHON)" sh scripts/find_python.sh > .make/python
	@echo "Python: $$(cat .make/python)"
	"$$(cat .make/python)" -m venv --clear $(BOOT)
	$(BOOT)/bin/python -m pip install --quiet "uv>=0.5" || echo "no uv: pip will do, slower"
	@touch $@

# The stamps lie in the environment, so that removing it removes them.
.venv/.core: requirements/core.txt pyproject.toml ocm_geo/_version.py | $(BOOT)/ready
	sh scripts/install.sh core
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml ocm_geo/_version.py | $(BOOT)/ready
	sh scripts/install.sh dev
	@touch $@ .venv/.core

.venv-oldest/.oldest: requirements/oldest.txt pyproject.toml | $(BOOT)/ready
	sh scripts/install.sh oldest .venv-oldest
	@touch $@
