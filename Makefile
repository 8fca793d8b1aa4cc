# Every target does its own set-up: `make demo` and `make test` work on a fresh Debian or Ubuntu machine.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON_BACKEND := .venv/bin/python
PLUGINS ?= $(HOME)/.local/share/QGIS/QGIS3/profiles/default/python/plugins
DEMO := demo-output

.PHONY: help setup demo test test-backend test-plugin lint format bench screenshots package install-plugin clean

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .stamps/backend  ## make .venv with the backend in it

.stamps/backend: pyproject.toml requirements.lock tools/setup_backend.sh
	@sh tools/setup_backend.sh
	@mkdir -p .stamps && touch $@

.stamps/qgis: requirements.lock tools/setup_qgis.sh
	@sh tools/setup_qgis.sh
	@mkdir -p .stamps && touch $@

demo: .stamps/backend  ## clean, classify and explain the demo scene, and compare with the known clear scene
	@$(PYTHON_BACKEND) -m sunbreak run resources/demo/demo_s2_cloudy.tif --s1 resources/demo/demo_s1.tif -o $(DEMO) --overwrite
	@echo
	@$(PYTHON_BACKEND) -m sunbreak evaluate removal --pred $(DEMO)/demo_s2_cloudy_cleaned.tif \
		--target resources/demo/demo_s2_clear.tif --cloudy resources/demo/demo_s2_cloudy.tif \
		--sigma $(DEMO)/demo_s2_cloudy_uncertainty.tif --mask $(DEMO)/demo_s2_cloudy_cloud_mask.tif
	@echo "picture: $(DEMO)/demo_s2_cloudy_quicklook.png"
	@echo "report:  $(DEMO)/demo_s2_cloudy_report.html"

test: test-backend test-plugin  ## run all tests: the backend's, and the plugin's in real QGIS

test-backend: .stamps/backend
	$(PYTHON_BACKEND) -m pytest tests/backend --ignore=tests/backend/training
	$(PYTHON_BACKEND) -m pytest tests/backend/training

test-plugin: .stamps/backend
	@if sh tools/setup_qgis.sh; then \
		QT_QPA_PLATFORM=offscreen .venv-qgis/bin/python -m pytest tests/plugin tests/end_to_end; \
	else status=$$?; [ $$status = 3 ] || exit $$status; fi

lint: .stamps/backend  ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: .stamps/backend  ## put the code into shape
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: .stamps/backend  ## measure speed and memory (some minutes)
	$(PYTHON_BACKEND) benchmarks/cloud_grid.py
	$(PYTHON_BACKEND) benchmarks/runtimes.py
	$(PYTHON_BACKEND) benchmarks/overhead.py
	$(PYTHON_BACKEND) benchmarks/landcover.py
	$(PYTHON_BACKEND) benchmarks/memory.py

screenshots: .stamps/backend  ## photograph QGIS with the demo scene (needs xvfb-run)
	sh tools/screenshot.sh

package: .stamps/backend  ## build the plugin's zip in dist/
	$(PYTHON_BACKEND) tools/package.py

install-plugin:  ## link this checkout into the QGIS profile (PLUGINS=folder for another one)
	@mkdir -p "$(PLUGINS)"
	@ln -sfn "$(CURDIR)" "$(PLUGINS)/sunbreak"
	@echo "linked as $(PLUGINS)/sunbreak; switch it on in Plugins > Manage and Install Plugins"

clean:  ## remove what was built
	rm -rf .stamps build dist $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis .qgis-settings
