#!/bin/sh
# Set up what is missing, run the main job (cases/01_first_run) and name its figures.
# RANKS and OMP_NUM_THREADS choose how it is spread; by default one rank and all cores as threads.
. "$(dirname "$0")/setup.sh"
ranks=${RANKS:-1}
cores=$(nproc)
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((cores / ranks > 0 ? cores / ranks : 1))}"
say "cases/01_first_run on $ranks rank(s) x $OMP_NUM_THREADS thread(s)"
if [ "$ranks" -gt 1 ]; then
   mpirun --oversubscribe --bind-to none -n "$ranks" .venv/bin/pyland run cases/01_first_run </dev/null
else
   .venv/bin/pyland run cases/01_first_run
fi
.venv/bin/pyland diagnose cases/01_first_run assimilation
.venv/bin/pyland plot cases/01_first_run
