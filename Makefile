# The two commands a new user needs are `make demo` and `make test`; the rest is for people who change the code.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint types docs clean

demo: $(READY)
	$(BIN)/causalablate demo

# One thread per process: two processes that share two cores wait for each other otherwise.
test: $(READY) lint types docs
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)
	rm -rf docs/reference
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

clean:
	rm -rf .venv docs/_build

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,docs]'
	touch $(READY)
