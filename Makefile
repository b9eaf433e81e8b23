# One environment in .venv, made from the lock file; every target makes what it needs first.
# Steps that are done leave a stamp, so that doing them again costs nothing.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

VENV ?= .venv
bin := $(VENV)/bin
lock := .ci/requirements-dev.lock
ready := $(VENV)/.ready
demo_output := demo-output

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help run demo test check bench lock clean system screen

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: system ## Launch the desktop (ARGS=…); without a display, play the demo instead
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname)" = Darwin ]; then \
		$(MAKE) $(ready) && exec $(bin)/texswarm $(ARGS); \
	else \
		echo "No display here (DISPLAY and WAYLAND_DISPLAY are not set): playing the demo on a virtual screen."; \
		$(MAKE) demo; \
	fi

demo: screen $(ready) ## A host and two peers write one paper on a virtual screen while the link is cut
	@rm -rf $(demo_output) && mkdir $(demo_output)
	@.ci/virtual-screen $(bin)/python -m tests.demo --output $(demo_output)
	@echo "Transcript, texts and screenshots: $(CURDIR)/$(demo_output)"

test: check ## All checks, then all tests
	QT_QPA_PLATFORM=offscreen $(bin)/pytest -n auto

check: system $(ready) ## Lint, format, types, import arrows
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy -p texswarm_server -p texswarm_desktop
	$(bin)/mypy -p tests
	$(bin)/lint-imports --no-logo

# The load is measured in any case: one figure that holds no limit in the first half must not cost the table of the second.
bench: system $(ready) ## Measure; the figures stand at the end
	@status=0; set -x; \
	QT_QPA_PLATFORM=offscreen $(bin)/pytest tests/benchmarks -m benchmark -p no:randomly -s || status=$$?; \
	$(bin)/python -m tests.benchmarks.load --write $(ARGS) || status=$$?; \
	{ set +x; } 2>/dev/null; exit $$status

lock: system $(ready) ## Choose the versions of the lock file anew
	$(bin)/pip install --quiet --upgrade uv
	$(bin)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --no-annotate --extra desktop --group dev --output-file $(lock) pyproject.toml

clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) $(demo_output) build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find texswarm_desktop server tests -name __pycache__ -type d -prune -exec rm -rf {} +

system:
	@.ci/setup-system

screen:
	@.ci/setup-system screen

$(VENV)/.made: | system
	@"$$(.ci/find-python)" -m venv $(VENV)
	@touch $@

$(VENV)/.locked: $(lock) | $(VENV)/.made
	@echo "Installing what $(lock) names."
	@$(bin)/python -m pip install --quiet --require-hashes -r $(lock)
	@touch $@

$(ready): pyproject.toml $(VENV)/.locked
	@$(bin)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
