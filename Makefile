# One word for each thing one does here. `make demo` on a fresh clone needs nothing before it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT := out/demo

.PHONY: help demo test check soak fuzz bench bench-peers clean
.DEFAULT_GOAL := help
# Kept bytecode, of rewritten tests above all, saves a third of `make check`.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo    compile the flagship course's suite and grade the example class"
	@echo "make test    all tests"
	@echo "make check   format, lint, types and the fast tests: under a minute"
	@echo "make soak    the long tests; they can be stopped and resumed"
	@echo "make fuzz    ten minutes each of inputs made to break codec and reader; goes on where it was"
	@echo "make bench   speed, measured beside the floor; what the jail adds"
	@echo "make bench-peers  the same class by nbgrader, otter and this, into docs/benchmarks.md"
	@echo "make clean   remove what was made, the environment too"

# Installed again only when what it depends on has changed. The constraints name every version, so
# nothing, torch least of all, is ever installed in another one first.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	    { echo "$(PYTHON) has no working venv module; on Debian and Ubuntu: apt install python3-venv" >&2; \
	      rm -rf $(VENV); exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt --editable '.[torch,environments,parquet,postgres,docker,nbgrader,dev]'
	@touch $@

# The example class holds files that nobody could grade, which `grade` says by exit 1: not a failed demo.
demo: $(READY)
	$(BIN)/autograder compile foundations
	$(BIN)/autograder grade foundations examples/class --out $(OUT) || test $$? -eq 1
	@echo
	@echo "The first rows of $(OUT)/grades.csv:"
	@head -n 11 $(OUT)/grades.csv

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m "not slow" --numprocesses auto --dist worksteal

soak: $(READY) .venv-peers/otter/.ready
	$(BIN)/python -m tests.soak
	$(BIN)/python -m tests.soak_gradebook
	$(BIN)/python -m tests.soak_peers

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz

bench: $(READY)
	$(BIN)/python -m benchmarks.floor
	$(BIN)/python -m benchmarks.jail --docker

# Each peer in an environment of its own, which borrows NumPy and torch from ours: the same numbers, and no
# second torch. What it has installed itself comes first.
.venv-peers/%/.ready: benchmarks/peers.py $(READY)
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
	    $$($(BIN)/python -c 'from benchmarks.peers import PACKAGES; print(*PACKAGES["$*"])')
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	    > $$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth
	@touch $@

bench-peers: .venv-peers/nbgrader/.ready .venv-peers/otter/.ready
	$(BIN)/python -m benchmarks.peers --write --students 30 --rounds 1
	$(BIN)/python -m benchmarks.peers --write --students 300 --rounds 3 --peers-first 15 --ordinary

clean:
	rm -rf $(VENV) .venv-peers out .autograder .soak .fuzz build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
