#!/bin/sh
# Draw the basin, run it, print its water balance in the layout of the Heihe tables, and judge its glaciers; two to four
# minutes. RANKS chooses the number of MPI ranks.
set -eu
cd "$(dirname "$0")"
python3 make_basin.py
if [ "${RANKS:-1}" -gt 1 ]; then
   mpirun --bind-to none -n "$RANKS" pyland run .
else
   pyland run .
fi
pyland diagnose . balance --table
pyland diagnose . glacier --table
