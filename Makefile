# Two commands do everything on a fresh machine: `make demo` and `make test`.
#   make demo ARGS=--headless   the demo without a display or a browser
#   make run ARGS="--client-id ..."   the real thing

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# A bundle is made where nothing is installed but what it is to hold.
BUNDLE_VENV := build/venv
BUNDLE_STAMP := $(BUNDLE_VENV)/.set-up
ARGS ?=

BENCH_VENV := build/bench-venv
BENCH_STAMP := $(BENCH_VENV)/.set-up

.PHONY: bench bench-check setup demo run test soak lint unit rig messages bundle deb test-bundle test-packages test-lowest screenshots clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@echo "== setting up $(VENV) with the versions of constraints.txt"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mailtray needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable ".[dev]"
	@# It brings axe-core along, which tests/pages runs; the Playwright that it asks for is never used.
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --no-deps axe-playwright-python
	@touch $(STAMP)

demo: setup
	$(BIN)/mailtray demo $(ARGS)

run: setup
	$(BIN)/mailtray run $(ARGS)

# The desktop session of tests/desktop and the browser of tests/pages need Debian packages.
rig:
	@tests/desktop/install-packages

# What else runs on Windows and macOS, read as it is there; what one system never reaches is another's.
ELSEWHERE := $(foreach each,mailtray release tests.core tests.app tests.contract tests.adapters tests.simulator tests.platforms,-p $(each))
MYPY_ELSEWHERE = $(BIN)/mypy --no-warn-unreachable --follow-imports silent $(ELSEWHERE)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MYPY_ELSEWHERE) --platform win32 --cache-dir .mypy_cache/win32
	$(MYPY_ELSEWHERE) --platform darwin --cache-dir .mypy_cache/darwin
	$(BIN)/lint-imports

# Tests mostly wait for real programs: more of them at once than there are processors.
WORKERS ?= 4

test: setup rig lint
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

# Hours of use in minutes; docs/soak.md tells what is measured.
soak: setup rig
	MAILTRAY_SOAK=1 $(BIN)/python -m pytest tests/e2e/test_crashes.py -s
	$(BIN)/python -m tests.soak $(ARGS)

# What it costs, beside others, in one run; writes bench/results.json and docs/performance.md.
bench: $(BENCH_STAMP) rig
	$(BENCH_VENV)/bin/python -m bench --save $(ARGS)

# A shorter run, held against what is kept; before a release.
bench-check: $(BENCH_STAMP) rig
	$(BENCH_VENV)/bin/python -m bench check $(ARGS)

$(BENCH_STAMP): pyproject.toml constraints.txt
	@echo "== setting up $(BENCH_VENV) with the versions of constraints.txt"
	$(PYTHON) -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable ".[dev,bench]"
	@touch $(BENCH_STAMP)

# dist/mailtray/mailtray, or with MAILTRAY_ONEFILE=1 the one file dist/mailtray-VERSION; the same
# commit and the same Python make the same files.
bundle: $(BUNDLE_STAMP)
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)} PYTHONHASHSEED=0 \
	    $(BUNDLE_VENV)/bin/pyinstaller --noconfirm --clean --log-level WARN --distpath dist --workpath build/work build.spec
	@du -sh dist/*

$(BUNDLE_STAMP): pyproject.toml constraints.txt
	@release/prepare $(PYTHON)
	@echo "== setting up $(BUNDLE_VENV) with the versions of constraints.txt"
	$(PYTHON) -m venv --clear $(BUNDLE_VENV)
	$(BUNDLE_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable ".[bundle]"
	@touch $(BUNDLE_STAMP)

# dist/mailtray_VERSION_ARCHITECTURE.deb
deb: bundle
	rm -f dist/*.deb
	$(BUNDLE_VENV)/bin/python -m release.deb dist/mailtray dist

# The end-to-end tests once more, with the bundle in the program's place, and what only a bundle has.
test-bundle: setup rig bundle deb
	MAILTRAY_BUNDLE=dist/mailtray/mailtray $(BIN)/python -m pytest tests/bundle tests/e2e/test_main_job.py tests/e2e/test_desktops.py tests/e2e/test_menu.py $(ARGS)

# The wheel and the source archive, made and installed; CI=true runs this with "make test" too.
test-packages: setup
	MAILTRAY_PACKAGES=1 $(BIN)/python -m pytest tests/test_packages.py $(ARGS)

# With the lowest versions that pyproject.toml allows, in a virtual environment of their own.
LOWEST_VENV := build/lowest
test-lowest:
	$(PYTHON) -m venv --clear $(LOWEST_VENV)
	$(LOWEST_VENV)/bin/python -m tests.lowest > $(LOWEST_VENV)/constraints.txt
	$(LOWEST_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --constraint $(LOWEST_VENV)/constraints.txt --editable . \
	    coverage cryptography hypothesis pytest pytest-randomly pytest-timeout pytest-xdist responses trustme
	$(LOWEST_VENV)/bin/python -m pytest --numprocesses $(WORKERS) tests/core tests/app tests/adapters tests/contract tests/platforms $(ARGS)

# The pictures of docs/, which the tests take of what they see.
screenshots: setup rig
	MAILTRAY_SCREENSHOTS=docs $(BIN)/python -m pytest tests/pages/test_demo.py tests/pages/test_pictures.py $(ARGS)

# After a sentence changed: the catalogues of mailtray/locale, which translators fill.
messages: setup
	$(BIN)/python -m tests.messages

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
