#!/bin/sh
# Set up what is missing, then run the style and structure checks and the tests. Arguments go to pytest.
. "$(dirname "$0")/setup.sh"
bin=.venv/bin
say "structure and style"
"$bin/ruff" check .
"$bin/fortitude" check fortran
"$bin/python" tools/check_fortran_layers.py
"$bin/lint-imports"
say "tests"
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" "$bin/python" -m pytest "$@"
