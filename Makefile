# Every target sets up what it needs by itself and is quick when nothing changed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-faults lint check-cassettes bench fuzz soak simulate docs clean .venv

BIN := .venv/bin
PIP := -m pip install --quiet --disable-pip-version-check
SETUP := pyproject.toml tools/venv.sh

help:
	@echo "make demo    mock exchanges and a real client on this machine, no internet, ends by itself"
	@echo "make test    the whole test suite with coverage"
	@echo "make test-faults  every fault at every venue, on real sockets (docs/reliability.md)"
	@echo "make lint    style, types, import rules, specs, generated files"
	@echo "make bench   the benchmarks; rewrites the tables of docs/performance.md"
	@echo "make fuzz    looks for inputs that do harm, for 3 minutes (MINUTES=20, SEED=7, TARGET=frames)"
	@echo "make simulate  seeds of bad weather on a network in virtual time (SEEDS=1000, FROM=0, VENUE=...)"
	@echo "make soak    a client under load and faults for 10 minutes (MINUTES=1, RATE=20000)"
	@echo "make docs    regenerate the schemas and the generated parts of docs/"
	@echo "make clean   remove environments and what tools left"

demo: .venv/.installed
	@$(BIN)/cexspec demo

test: .venv/.installed-dev
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-report=term
	@report=$$($(BIN)/python -m coverage report --include='cexspec/spec/*,cexspec/compile/*' --fail-under=100) \
		|| { echo "cexspec/spec and cexspec/compile want every branch covered:"; echo "$$report"; exit 1; }

test-faults: .venv/.installed-dev
	@CEXSPEC_EVERY_VENUE=1 $(BIN)/python -m pytest -q tests/mock/private/test_disconnects.py
	@$(BIN)/python -m tests.faults.matrix

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/python tools/check_names.py
	$(BIN)/cexspec validate exchanges/
	$(BIN)/cexspec fmt --check exchanges/
	$(BIN)/python tools/generate_schemas.py --check
	$(BIN)/python -m tools.generate_docs --check

check-cassettes: .venv/.installed-dev
	$(BIN)/python tools/record_cassettes.py --check

docs: .venv/.installed-dev
	$(BIN)/python tools/generate_schemas.py
	$(BIN)/python -m tools.generate_docs

bench: .venv-bench/.installed
	.venv-bench/bin/python -m benchmarks.run --write

fuzz: MINUTES ?= 3
fuzz: .venv/.installed-dev
	@$(BIN)/python -m tools.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(TARGET),--target '$(TARGET)')

simulate: SEEDS ?= 1000
simulate: FROM ?= 0
simulate: .venv/.installed-dev
	@$(BIN)/python -m tools.simulate --seeds $(SEEDS) --from $(FROM) $(if $(VENUE),--venue '$(VENUE)')

soak: MINUTES ?= 10
soak: RATE ?= 20000
soak: export MALLOC_MMAP_THRESHOLD_ ?= 131072
soak: .venv/.installed-dev
	@$(BIN)/python -m tools.soak --minutes $(MINUTES) --rate $(RATE)

clean:
	rm -rf .venv .venv-bench .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: .venv/.installed-dev

.venv/.installed: $(SETUP)
	@echo "setting up .venv (once)"
	@tools/venv.sh .venv
	@$(BIN)/python $(PIP) --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@echo "installing the development tools into .venv (once)"
	@$(BIN)/python $(PIP) --editable '.[dev]'
	@touch $@

.venv-bench/.installed: $(SETUP) benchmarks/requirements.txt
	@echo "setting up .venv-bench with the libraries to compare with (once)"
	@tools/venv.sh .venv-bench
	@.venv-bench/bin/python $(PIP) --editable '.[evm,redis]' orjson
	@while read -r wanted; do \
		.venv-bench/bin/python $(PIP) "$$wanted" || echo "not installed: $$wanted (its rows of the table will say so)"; \
	done < benchmarks/requirements.txt
	@touch $@
