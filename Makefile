# Every target does its own set-up: `make demo` and `make test` work on a fresh Debian or Ubuntu machine.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON_BACKEND := .venv/bin/python
PLUGINS ?= $(HOME)/.local/share/QGIS/QGIS3/profiles/default/python/plugins
DEMO := demo-output
WITH_DATES := $(DEMO)/with-dates
UNPAIRED := unpaired-output
SECONDS ?= 60
SEED ?= 1
KILLS ?= 100
SIZE ?= small
DEVICE ?= cpu
WHEELS ?= dist/wheels
VARIANT ?= cpu
STUDY := study-output
PATCHES ?= 240
CLASSIFIER ?= resnet18-landcover

.PHONY: help setup demo study test test-backend test-plugin test-light test-other-qgis fuzz catalogue kill-test kill-workers lint format bench bench-quick study-unpaired screenshots package offline-wheels check-package translations tour docs install-plugin clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .stamps/backend  ## make .venv with the backend in it

.stamps/backend: pyproject.toml requirements.lock tools/setup_backend.sh
	@sh tools/setup_backend.sh
	@mkdir -p .stamps && touch $@

.stamps/qgis: requirements.lock tools/setup_qgis.sh
	@sh tools/setup_qgis.sh
	@mkdir -p .stamps && touch $@

demo: .stamps/backend  ## clean, classify and explain the demo scene, alone and with other dates, and compare with the known clear one
	@$(PYTHON_BACKEND) -m sunbreak run resources/demo/demo_s2_cloudy.tif --s1 resources/demo/demo_s1.tif -o $(DEMO) --overwrite
	@echo
	@$(PYTHON_BACKEND) -m sunbreak evaluate removal --pred $(DEMO)/demo_s2_cloudy_cleaned.tif \
		--target resources/demo/demo_s2_clear.tif --cloudy resources/demo/demo_s2_cloudy.tif \
		--sigma $(DEMO)/demo_s2_cloudy_uncertainty.tif --mask $(DEMO)/demo_s2_cloudy_cloud_mask.tif
	@echo
	@echo "The same with two other dates of the place:"
	@$(PYTHON_BACKEND) -m sunbreak run resources/demo/demo_s2_cloudy.tif --s1 resources/demo/demo_s1.tif -o $(WITH_DATES) --overwrite \
		--reference resources/demo/demo_s2_before.tif --reference resources/demo/demo_s2_after.tif
	@echo
	@$(PYTHON_BACKEND) -m sunbreak evaluate removal --pred $(WITH_DATES)/demo_s2_cloudy_cleaned.tif \
		--target resources/demo/demo_s2_clear.tif --cloudy resources/demo/demo_s2_cloudy.tif \
		--sigma $(WITH_DATES)/demo_s2_cloudy_uncertainty.tif --mask $(WITH_DATES)/demo_s2_cloudy_cloud_mask.tif
	@echo "picture: $(DEMO)/demo_s2_cloudy_quicklook.png"
	@echo "report:  $(DEMO)/demo_s2_cloudy_report.html"
	@echo "picture with other dates: $(WITH_DATES)/demo_s2_cloudy_quicklook.png"
	@echo "report with other dates:  $(WITH_DATES)/demo_s2_cloudy_report.html"

study: .stamps/backend  ## repeat the downstream study on simulated patches (see docs/study.md); a stopped run resumes
	@$(PYTHON_BACKEND) -m sunbreak simulate --layout sen12ms --patches $(PATCHES) -o $(STUDY)/data
	@$(PYTHON_BACKEND) -m sunbreak study downstream --sen12ms $(STUDY)/data/SEN12MS --sen12mscr $(STUDY)/data/SEN12MS-CR \
		--removal uncrtaints-guided --classifier $(CLASSIFIER) -o $(STUDY)/report --resume

test: test-backend test-plugin fuzz  ## run all tests: the backend's, the plugin's in real QGIS, and a minute of fuzzing

# the parts run in two processes at a time, the longest first
LONG_PARTS := $(addprefix tests/backend/,landcover cluster api removal engine studies cli datasets training models jobs catalogue)
PARTS := $(filter-out $(LONG_PARTS) %/support %/__pycache__,$(patsubst %/,%,$(wildcard tests/backend/*/)))
comma := ,
joined = $(subst $() $(),$(comma),$(strip $(1)))
LONG_PLUGIN := $(addprefix tests/plugin/test_,many_scenes.py algorithms.py chain.py series.py other_dates.py masking.py comparison.py)
PLUGIN := $(filter-out $(LONG_PLUGIN),$(wildcard tests/plugin/test_*.py))

test-backend: .stamps/backend
	$(PYTHON_BACKEND) tools/test_in_parts.py $(LONG_PARTS) $(call joined,$(wildcard tests/backend/test_*.py)) $(PARTS)

test-plugin: .stamps/backend
	@if sh tools/setup_qgis.sh; then \
		QT_QPA_PLATFORM=offscreen .venv-qgis/bin/python tools/test_in_parts.py \
			$(call joined,$(LONG_PLUGIN)) $(call joined,$(PLUGIN)) tests/plugin/install tests/end_to_end; \
	else status=$$?; [ $$status = 3 ] || exit $$status; fi

test-light: .stamps/backend  ## install Light as QGIS does, and compare its layers with those of the full backend (needs a package index)
	@if sh tools/setup_qgis.sh; then \
		SUNBREAK_TEST_LIGHT=install QT_QPA_PLATFORM=offscreen .venv-qgis/bin/python -m pytest tests/end_to_end/test_light.py; \
	else status=$$?; [ $$status = 3 ] || exit $$status; fi

fuzz: .stamps/backend  ## mutate inputs and run the program on them (SECONDS=1800 SEED=7); what fails is kept in fuzz-failures/
	$(PYTHON_BACKEND) tools/fuzz.py --seconds $(SECONDS) --seed $(SEED)

catalogue: .stamps/backend  ## serve catalogues in the layouts of public ones on this machine, made from the demo scene, until stopped
	$(PYTHON_BACKEND) tools/catalogue_server.py --folder catalogue-output

kill-test: .stamps/backend  ## kill and terminate runs at random moments and resume them (KILLS=100)
	$(PYTHON_BACKEND) tools/kill_test.py --kills $(KILLS) --terms $(KILLS)

kill-workers: KILLS := 30
kill-workers: .stamps/backend  ## kill workers of a dask cluster at random moments and compare the results (KILLS=30 SEED=1)
	$(PYTHON_BACKEND) tools/kill_workers.py --kills $(KILLS) --seed $(SEED)

test-other-qgis: .stamps/backend  ## the plugin's tests in the QGIS of another Debian (SUITE=trixie or sid; needs root)
	sh tools/other_qgis.sh $(or $(SUITE),trixie) tests/plugin -q

lint: .stamps/backend  ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python tools/check_package.py --source

format: .stamps/backend  ## format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: .stamps/backend  ## measure speed and memory (some minutes); figures go to bench-output/figures.json
	$(PYTHON_BACKEND) benchmarks/figures.py

bench-quick: .stamps/backend  ## the same for the start and the network alone (a minute)
	$(PYTHON_BACKEND) benchmarks/figures.py --quick

study-unpaired: .stamps/backend  ## cloud removal without pairs on simulated patches (see docs/unpaired.md; SIZE=medium DEVICE=cuda on a GPU)
	@$(PYTHON_BACKEND) -m sunbreak study unpaired -o $(UNPAIRED) --size $(SIZE) --device $(DEVICE) --resume
	@echo "report: $(UNPAIRED)/report.html"

screenshots: .stamps/backend  ## take screenshots of QGIS with the demo scene (needs xvfb-run)
	sh tools/screenshot.sh
	sh tools/screenshot_dates.sh
	sh tools/screenshot_many.sh
	sh tools/screenshot_inspect.sh
	sh tools/screenshot_find.sh
	sh tools/screenshot_comparison.sh

package: .stamps/backend  ## build the plugin's zip in dist/
	$(PYTHON_BACKEND) tools/package.py

check-package: package .stamps/check  ## unpack the zip and run the plugin repository's checks over it, and more
	$(PYTHON_BACKEND) tools/check_package.py

.stamps/check: tools/check-requirements.txt
	@$(PYTHON_BACKEND) -m venv .venv-check
	@.venv-check/bin/python -m pip install -q --disable-pip-version-check -r tools/check-requirements.txt
	@mkdir -p .stamps && touch $@

translations: .stamps/backend  ## bring i18n/*.ts up to the plugin's texts, and compile them
	$(PYTHON_BACKEND) tools/translations.py update
	$(PYTHON_BACKEND) tools/translations.py compile

docs: .stamps/docs  ## build the documentation site in site/, and check its links
	@NO_MKDOCS_2_WARNING=1 $(PYTHON_BACKEND) -m mkdocs build --strict --quiet
	@echo "site: site/index.html"

.stamps/docs: .stamps/backend
	@$(PYTHON_BACKEND) -m pip install -q --disable-pip-version-check -e '.[docs]'
	@mkdir -p .stamps && touch $@

tour:  ## walk through QGIS with the zip as a new user would, and take screenshots (needs xvfb-run; some minutes)
	sh tools/tour.sh

offline-wheels: .stamps/backend  ## make a folder of wheels, to install the backend without a network (WHEELS=folder VARIANT=light)
	$(PYTHON_BACKEND) tools/offline_wheels.py "$(WHEELS)" --variant $(VARIANT)

install-plugin:  ## link this checkout into the QGIS profile (PLUGINS=folder for another one)
	@mkdir -p "$(PLUGINS)"
	@ln -sfn "$(CURDIR)" "$(PLUGINS)/sunbreak"
	@echo "linked as $(PLUGINS)/sunbreak; switch it on in Plugins > Manage and Install Plugins"

clean:  ## remove what was built
	rm -rf .stamps build dist site $(DEMO) $(STUDY) $(UNPAIRED) .pytest_cache .mypy_cache .ruff_cache .hypothesis .qgis-settings
