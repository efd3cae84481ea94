# make run and make test set themselves up; everything else builds on the same .venv.
PYTHON ?= python3
PROCESSES ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONPATH :=

.PHONY: help run test test-all package-check lint format bench lock cluster-up cluster-down clean
help:  ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/traintable jars --dest "$$($(BIN)/python -c 'from traintable.spark.jars import cache_dir; print(cache_dir())')" > /dev/null
	touch $(READY)

data/warehouse/airlines: $(READY)
	$(BIN)/python jobs/flights_warehouse.py data/warehouse
	touch $@

run: $(READY) data/warehouse/airlines  ## the main job on real data
	$(BIN)/traintable run --config conf/flights.yaml

test: $(READY)  ## the tests, without the slow ones, by PROCESSES (2) with a session each, see tests/order.py
	$(BIN)/python -m pytest -m "not slow" -n $(PROCESSES) --no-loadscope-reorder

test-all: $(READY)  ## all tests
	$(BIN)/python -m pytest

package-check: $(READY)  ## whether wheel and sdist are whole: every module is imported from an installed wheel
	$(BIN)/python tests/packaging/check_wheel.py

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## mend the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) data/warehouse/airlines  ## measured comparisons
	$(BIN)/python tests/benchmarks/run.py
	$(BIN)/python tests/benchmarks/ingest.py
	$(BIN)/traintable run --config conf/flights.yaml
	$(BIN)/python tests/benchmarks/publish.py

dist/traintable.zip: $(READY) $(shell find lib -name '*.py' -o -name '*.properties' -o -name '*.html' -o -name '*.css' -o -name '*.js')
	mkdir -p dist
	$(BIN)/python -c "import shutil; shutil.make_archive('dist/traintable', 'zip', 'lib')"

cluster-up: $(READY) dist/traintable.zip  ## a standalone Spark cluster on loopback: a master and two workers
	$(BIN)/python tests/cluster.py up

cluster-down: $(READY)  ## stop it
	$(BIN)/python tests/cluster.py down

lock: $(READY)  ## resolve the locked dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --extra dev --no-annotate \
	  --upgrade-package pyspark==4.1.3 --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean:  ## remove what was built and published here
	rm -rf data dist build $(VENV)
