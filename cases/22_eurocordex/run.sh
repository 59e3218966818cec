#!/bin/sh
# Run the case without its data and draw its maps: every eighth point, generated weather, 8 members, a twin experiment of
# six days. RANKS chooses the number of MPI ranks. The whole case: README.md.
set -eu
cd "$(dirname "$0")"
if [ "${RANKS:-1}" -gt 1 ]; then
   set -- mpirun --bind-to none -n "$RANKS" pyland run .
else
   set -- pyland run .
fi
"$@" \
   --set domain.file=coarse.nc \
   --set forcing='{format: generator, generator: {climate: temperate, seed: 3}}' \
   --set time='{start: 2018-05-01, end: 2018-05-07, step: 60 min}' \
   --set ensemble.size=8 \
   --set ensemble.perturb.forcing.length_scale='200 km' \
   --set observations='[{name: satellite, depth: [0, 0.05], error: 0.04, every: 1 day, twin: {seed: 7, coverage: 0.6}}]' \
   --set assimilation.localization.radius='300 km'
pyland diagnose . assimilation
pyland plot .
