#!/bin/sh
# Run the case with the mixed state vector, then with water and with heads alone; compare them and draw figures; RANKS
# chooses the number of MPI ranks.
set -eu
cd "$(dirname "$0")"
if [ "${RANKS:-1}" -gt 1 ]; then
   pyland() { mpirun --bind-to none -n "$RANKS" pyland "$@"; }
fi
pyland run .
for state in soil_water pressure_head; do
   pyland run . --set "assimilation.update=[$state]" --set assimilation.open_loop=false --output "run/$state"
done
command pyland diagnose . assimilation
command pyland plot .
python3 compare.py
