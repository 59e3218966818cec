#!/bin/sh
# Run the case, draw its figures, and compare the hydrograph with theory and with ParFlow's; RANKS chooses MPI ranks.
set -eu
cd "$(dirname "$0")"
PYLAND_SHARED="${PYLAND_SHARED:-$(cd ../../.. && pwd)/shared}"
export PYLAND_SHARED
if [ "${RANKS:-1}" -gt 1 ]; then
   mpirun --bind-to none -n "$RANKS" pyland run .
else
   pyland run .
fi
pyland diagnose . balance
pyland plot .
python3 compare.py
