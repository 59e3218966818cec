#!/bin/sh
# Run the case and draw its figures; RANKS chooses the number of MPI ranks.
set -eu
cd "$(dirname "$0")"
if [ "${RANKS:-1}" -gt 1 ]; then
   mpirun --bind-to none -n "$RANKS" pyland run .
else
   pyland run .
fi
pyland diagnose . balance
pyland plot .
