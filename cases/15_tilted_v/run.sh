#!/bin/sh
# Run the case with both waves, draw figures, and compare the hydrographs with theory and with ParFlow's; RANKS chooses MPI ranks.
set -eu
cd "$(dirname "$0")"
PYLAND_SHARED="${PYLAND_SHARED:-$(cd ../../.. && pwd)/shared}"
export PYLAND_SHARED
if [ "${RANKS:-1}" -gt 1 ]; then
   mpirun --bind-to none -n "$RANKS" pyland run .
   mpirun --bind-to none -n "$RANKS" pyland run . --set subsurface.overland=diffusive --output run/diffusive
else
   pyland run .
   pyland run . --set subsurface.overland=diffusive --output run/diffusive
fi
pyland diagnose . balance
pyland plot .
python3 compare.py
