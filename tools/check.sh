#!/bin/sh
# Set up what is missing, then run the style and structure checks, the tests, and those of the kernels once more with
# run-time checks. Arguments go to pytest: `sh tools/check.sh -m slow` runs whole cases and long physics.
. "$(dirname "$0")/setup.sh"
bin=.venv/bin
say "structure and style"
"$bin/ruff" check .
"$bin/fortitude" check fortran
"$bin/python" tools/check_fortran_layers.py
"$bin/lint-imports"
say "tests"
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" "$bin/python" -m pytest -n "$(env -u OMP_NUM_THREADS nproc)" --dist worksteal "$@"
[ "$#" -gt 0 ] || sh tools/check_debug.sh
