#!/bin/sh
# Run the case and judge it beside other models on the same points. Without PYLAND_SHARED the station file is looked for in
# a folder "shared" beside the repository; the other models are those in its folder data/peers.
set -eu
cd "$(dirname "$0")"
PYLAND_SHARED="${PYLAND_SHARED:-$(cd ../../.. && pwd)/shared}"
export PYLAND_SHARED
pyland run .
pyland diagnose . skill --depth SoilMoist_1=0-10cm --depth SoilMoist_2=10-40cm
