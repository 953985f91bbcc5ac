# make demo   install what a user needs into .venv and run the demo (offline once installed)
# make test   install what developers need as well, and run the test suite
# make dist   wheel and source archive, tried alone with the newest and with the oldest dependencies
# make check  linters, types, and that generated tables are up to date
# make bench  make perf, then every recipe whose data are here, cells that are still missing (hours)
# make perf   speed and memory, beside other libraries too, which it installs (an hour, 10 GB)
# make fuzz   more than 100,000 damaged files for every parser, more than 10,000 tables for every door,
#             14,000 requests for the servers (half an hour)
# make docs   generate method pages and result tables, and build the site of all pages into build/site

PYTHON ?= python3
BIN := .venv/bin
CORES := $(shell nproc 2>/dev/null || echo 2)

.PHONY: demo test check bench perf fuzz docs site dist

# What a user needs; what a developer needs comes on top of it.
.venv/.lean: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.installed: .venv/.lean
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv/.docs: .venv/.lean
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

demo: .venv/.lean
	$(BIN)/acclimate demo

test: .venv/.installed
	$(BIN)/python -m pytest --numprocesses $(CORES) --maxprocesses 8

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

dist: .venv/.lean
	bash .ci/dist

perf: .venv/.installed
	for script in trainer input_stream startup memory auto ssan translation texts index serve export peers; do $(BIN)/python benchmarks/perf/$$script.py || exit 1; done
	$(BIN)/python benchmarks/perf/gpu.py || true # only where there is one
	$(BIN)/python docs/generate.py

bench: perf
	for recipe in benchmarks/recipes/*.toml; do \
	  $(BIN)/acclimate compare --config $$recipe --results benchmarks/results --jobs 2 --skip-absent || exit 1; \
	done

fuzz: .venv/.installed
	$(BIN)/python benchmarks/fuzz/parsers.py
	$(BIN)/python benchmarks/fuzz/tables.py
	$(BIN)/python benchmarks/fuzz/http_requests.py
	$(BIN)/python benchmarks/fuzz/runs.py
	$(BIN)/python benchmarks/fuzz/kills.py

docs: .venv/.installed
	$(BIN)/python docs/generate.py
	$(MAKE) site

site: .venv/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
