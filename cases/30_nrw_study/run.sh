#!/bin/sh
# Run the study and draw its figures. SEEDS gives the seeds of the ensemble, "[2018, 2019, 2020]" for three, which takes three
# times as long; RANKS the number of MPI ranks. Call it again after an end of any kind: what is finished stays.
set -eu
cd "$(dirname "$0")"
if [ "${RANKS:-1}" -gt 1 ]; then
   set -- mpirun --bind-to none -n "$RANKS" pyland study .
else
   set -- pyland study .
fi
"$@" --set study.seeds="${SEEDS:-[2018]}"
