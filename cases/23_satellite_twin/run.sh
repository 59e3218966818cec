#!/bin/sh
# Run the case, compare filters and options with it (about half an hour on one core), draw figures; RANKS chooses the
# number of MPI ranks of the case itself.
set -eu
cd "$(dirname "$0")"
if [ "${RANKS:-1}" -gt 1 ]; then
   mpirun --bind-to none -n "$RANKS" pyland run .
else
   pyland run .
fi
pyland diagnose . assimilation
pyland plot .
python3 compare.py
