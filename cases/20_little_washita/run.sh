#!/bin/sh
# Fetch the data, run the case, draw its figures and compare with ParFlow-CLM; RANKS chooses the number of MPI ranks.
set -eu
cd "$(dirname "$0")"
pyland fetch little_washita
if [ "${RANKS:-1}" -gt 1 ]; then
   mpirun --bind-to none -n "$RANKS" pyland run .
else
   pyland run .
fi
pyland diagnose . balance
pyland plot .
python3 compare.py
