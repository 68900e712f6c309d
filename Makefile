# make            set up .venv and run the default study
# make test       every test;  make lint   style
# make crosscheck the same spectra by every engine;  make bench   speed and agreement
# make mno        the default study with MnO (MNO=path/to/Data2_MnO.csv to use a local file)
# make clean      remove the results (the environment stays)

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
# Packages come as wheels, so no compiler is needed. Snakemake needs connection_pool, which is
# published as source only; it is plain Python.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--only-binary=:all: --no-binary=connection_pool --constraint constraints.txt
READY := .venv/ready
# EDRIXS and Quanty, which tests, cross-check and benchmark compare with, and what some maps need. Of crispy only the program is
# used, so what its windows need is not installed.
PROGRAMS := .venv/programs

.PHONY: all mno test lint crosscheck bench clean
.DELETE_ON_ERROR:

all: $(READY)
	$(BIN)/snakemake --cores $(CORES)

mno: $(READY)
	$(BIN)/snakemake --cores $(CORES) --configfile config/mno.yaml $(if $(MNO),--config 'local={MnO: $(MNO)}')

# One BLAS thread for each worker: two on two busy cores are several times slower.
test: $(PROGRAMS)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	# One environment serves the whole workflow (pyproject.toml, constraints.txt), so none is named per rule.
	! $(BIN)/snakemake --lint 2>&1 | grep '^    \* ' | grep -v 'Specify a conda environment'

crosscheck: $(PROGRAMS)
	$(BIN)/snakemake --cores $(CORES) crosscheck

# OpenBLAS is to choose its kernels by the processor; programs are compared on one core each.
BENCH := env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE
bench: $(PROGRAMS)
	$(INSTALL) --editable '.[peers]'
	# aeon asks for older versions of numba and pandas than are pinned; it works with these.
	$(INSTALL) --no-deps aeon deprecated wrapt
	$(BENCH) OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/engine.py
	$(BENCH) $(BIN)/python benchmarks/measures.py
	$(BENCH) OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/embeddings.py
	$(BENCH) $(BIN)/python benchmarks/search.py
	$(BENCH) $(BIN)/python benchmarks/estimate.py

clean:
	rm -rf results

$(READY): pyproject.toml constraints.txt
	@echo "Setting up .venv (a minute or two) ..."
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[test,lint]'
	@touch $@

$(PROGRAMS): $(READY)
	$(INSTALL) --editable '.[edrixs,maps]'
	$(INSTALL) --no-deps crispy
	@touch $@
