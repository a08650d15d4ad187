# Everything sets itself up: the first target makes .venv/ from requirements.lock, later ones find it
# good. `make` alone lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

# The Python to make .venv with (3.11 to 3.14), and what is passed on to the program a target runs:
#   make test PYTHON=python3.13 ARGS="-k checkout"
# SEATS is the size of the venue for run, bench and checkpoint: make run SEATS=1000
PYTHON ?=
ARGS ?=
SEATS ?=

VENV := .venv
BIN := $(VENV)/bin

# Where the surroundings forbid Python to keep compiled modules, each kernel would compile pandas and matplotlib anew:
# some five seconds of each start. They are kept in __pycache__, which git ignores.
export PYTHONDONTWRITEBYTECODE :=

# TAKE names chapters to take anew into my/, the learner's copy of the notebooks: make lab TAKE=04
TAKE ?=

# What a person who learns or teaches asks for is a command, too, the same on every system: tools/commands.py.
COMMAND := $(BIN)/python seats.py

# Whatever .venv leads to, one's own or somebody else's, finds the project.
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

# Prints the first Python that runs and that the packages are built for; tools/environment.py knows which those are.
# A name alone proves nothing: version managers put shims there for Pythons that are not installed.
define FIND_PYTHON
find_python() { \
	for candidate in $(or $(PYTHON),$(BIN)/python python3 python3.14 python3.13 python3.12 python3.11 python); do \
		if "$$candidate" tools/environment.py >/dev/null 2>&1; then \
			printf '%s\n' "$$candidate"; return 0; \
		fi; \
	done; \
	echo "error: $(if $(PYTHON),$(PYTHON) is not a,found no) Python from 3.11 to 3.14$(if $(PYTHON),, on the path)." \
		"Install one, or name it: make PYTHON=/path/to/python3.12" >&2; \
	return 1; \
}
endef

# Runs a script of tools/ that needs no package and no particular Python.
ANY_PYTHON = any_python() { \
	for candidate in $(or $(PYTHON),python3 $(BIN)/python python); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1; then \
			"$$candidate" "$$@"; return; \
		fi; \
	done; \
	echo "error: found no Python on the path. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; return 1; \
}; any_python

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: venv
venv: ## set up .venv (the other targets do it by themselves)
	@$(FIND_PYTHON); python=$$(find_python) && \
		"$$python" tools/make_venv.py $(if $(PYTHON),,--keep-python)

.PHONY: lab
lab: venv ## open your copy of the notebooks, my/, in JupyterLab
	@$(COMMAND) lab $(if $(TAKE),--take $(TAKE)) $(if $(ARGS),-- $(ARGS))

.PHONY: copy
copy: venv ## make or complete my/, and open nothing: for VS Code and others
	@$(COMMAND) lab --no-open $(if $(TAKE),--take $(TAKE))

.PHONY: run
run: venv ## execute the whole workbook at full size; results under out/
	@$(COMMAND) run $(if $(SEATS),--seats $(SEATS)) $(ARGS)

# A quarter of an hour: every chapter in real time, in each disguise; one of them: make rehearse DISGUISES=slow
.PHONY: rehearse
rehearse: venv ## run all chapters against nodes that hide what they are, as on a cluster
	@$(BIN)/python -m tools.rehearse $(DISGUISES) $(if $(SEATS),--seats $(SEATS)) $(ARGS)

# A file's tests share their nodes, so a file stays with one worker. ARGS="-n0" runs all in one process, as for a
# debugger. The order is pyproject.toml's: the longest files first, so that no worker is left with them at the end.
# Without nbval's plugin: the notebooks' tests start it for themselves, and it makes each worker's start seconds longer.
.PHONY: test
test: venv ## run all tests
	@$(BIN)/python -m pytest -p no:nbval -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

# Some minutes, once: its crates are compiled. Whoever has no Rust reads in chapter 5 what it prints.
.PHONY: rust
rust: ## build the Rust consumer of chapter 5 (needs Rust's cargo)
	@command -v cargo >/dev/null || { echo "error: Rust's cargo is not here" >&2; exit 1; }
	@cargo build --locked --quiet --manifest-path rust/consumer/Cargo.toml $(ARGS)

# Half an hour: the machine that plays with the checkout takes some 500 steps a second.
.PHONY: prove
prove: venv ## play with the checkout for a million steps (make prove STEPS=50000)
	@PROVE_STEPS=$(or $(STEPS),1000000) $(BIN)/python -m pytest -s tests/protocol/test_machine.py $(ARGS)

# Statements from a grammar, frames, damaged journals, against nodes without sockets:
# make fuzz SECONDS=600 ARGS="--seed 7 --only frames"; what it finds goes to out/fuzz, and when mended to tests/fuzz/found
.PHONY: fuzz
fuzz: venv ## play statements, frames and damaged journals to nodes, and find what they cannot answer
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(ARGS)

.PHONY: outputs
outputs: venv ## execute the notebooks in place and refresh what is committed
	@$(BIN)/python tools/refresh_outputs.py $(ARGS)

.PHONY: exercises
exercises: venv ## write the exercises' cells into the notebooks, from helpers/exercises
	@$(BIN)/python tools/build_exercises.py $(ARGS)

.PHONY: checkpoint
checkpoint: venv ## put the database where a chapter begins: make checkpoint 04 SEATS=1000
	@$(COMMAND) checkpoint $(CHAPTERS) $(if $(SEATS),--seats $(SEATS)) $(ARGS)

# In `make checkpoint 04` the number is the chapter, not another target.
ifneq (,$(filter checkpoint,$(MAKECMDGOALS)))
CHAPTERS := $(filter 0% 1% 2% 3% 4% 5% 6% 7% 8% 9%,$(MAKECMDGOALS))
.PHONY: $(CHAPTERS)
$(CHAPTERS): ; @:
endif

# START is when the workshop begins: make schedule START=18:30 ARGS="--only 90-minutes --dark"
.PHONY: schedule
schedule: venv ## render a presenter's run of show, notes, slides, handout and cheat sheet into out/
	@$(COMMAND) schedule $(if $(START),--start $(START)) $(ARGS)

# After a change of presenter/notes, or of a notebook's cells that they name.
.PHONY: notes
notes: venv ## write the presenter's notes into the notebooks' metadata, from presenter/notes
	@$(BIN)/python -m presenter.marks $(ARGS)

.PHONY: coverage
coverage: venv ## write embedded_scylla/COVERAGE.md anew
	@$(BIN)/python tools/coverage_page.py $(ARGS)

.PHONY: bench
bench: venv ## measure; figures in out/bench.json
	@$(BIN)/python -m tools.bench $(if $(SEATS),--seats $(SEATS)) $(ARGS)

# It is there for what keeps set-up from working, too: any Python will do for it.
.PHONY: doctor
doctor: ## look this machine over and say what to fix; Docker too: make doctor ARGS=--docker
	@$(FIND_PYTHON); python=$$(find_python) && "$$python" tools/make_venv.py $(if $(PYTHON),,--keep-python); \
	$(ANY_PYTHON) seats.py doctor $(ARGS)

.PHONY: cassandra
cassandra: venv ## start Apache Cassandra 5 to compare with (needs Java 17 and Maven)
	@$(BIN)/python -m tests.engines.cassandra $(ARGS)

.PHONY: lint
lint: venv ## check style, likely mistakes, types, and who imports whom
	@$(BIN)/ruff check $(ARGS) .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

.PHONY: format
format: venv ## fix what lint can fix
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

# The doctor looks for the same beforehand: make doctor ARGS=--docker
.PHONY: up
up: ## start ScyllaDB in Docker; for three nodes: make up PROFILE=cluster
	@$(ANY_PYTHON) tools/compose.py up $(if $(PROFILE),--profile $(PROFILE)) $(ARGS)

.PHONY: down
down: ## stop ScyllaDB in Docker; its data stays (ARGS=--volumes throws it away)
	@$(ANY_PYTHON) tools/compose.py down $(ARGS)

# uv resolves for all systems and Pythons at once, which pip cannot. It has an environment of its
# own: nobody who runs the course needs it. Pins stay unless asked for: make lock ARGS=--upgrade
UV_COMPILE := uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"

.PHONY: lock
lock: ## resolve requirements.lock anew
	@$(FIND_PYTHON); python=$$(find_python) && \
		folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		"$$python" -m venv "$$folder" && "$$folder/bin/pip" install --quiet 'uv>=0.8' && \
		"$$folder/bin/"$(UV_COMPILE) $(ARGS) --extra test --constraint tools/lock-constraints.txt \
			pyproject.toml --output-file requirements.lock && \
		echo pip | "$$folder/bin/"$(UV_COMPILE) $(ARGS) - --output-file tools/pip.lock

# No environment is needed for it.
.PHONY: clean
clean: ## remove all that was made: .venv, .embedded, out, caches
	@$(ANY_PYTHON) -B tools/clean.py $(ARGS)
