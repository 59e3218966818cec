#!/bin/sh
# Screen the parameters, estimate them from the first half of the season, and run the case with the best draw (about six
# minutes on two cores). Without PYLAND_SHARED the station file is looked for in a folder "shared" beside the repository.
# Longer chains: pyland calibrate . --resume --set calibrate.generations=1200
set -eu
cd "$(dirname "$0")"
PYLAND_SHARED="${PYLAND_SHARED:-$(cd ../../.. && pwd)/shared}"
export PYLAND_SHARED
pyland calibrate . --output run/screening --set calibrate.method=morris --set calibrate.start=prior --set calibrate.generations=200 \
   --set calibrate.observations.soil_moisture_5cm.memory=0 --set calibrate.observations.soil_moisture_15cm.memory=0 \
   --set calibrate.observations.latent_heat.memory=0
pyland calibrate .
pyland run run/calibrate/best.yaml --output run/best
