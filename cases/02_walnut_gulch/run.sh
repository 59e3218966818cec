#!/bin/sh
# Run the case, judge it beside other models on the same points, and draw its figures. Without PYLAND_SHARED the station
# file is looked for in a folder "shared" beside the repository.
set -eu
cd "$(dirname "$0")"
PYLAND_SHARED="${PYLAND_SHARED:-$(cd ../../.. && pwd)/shared}"
export PYLAND_SHARED
pyland run .
set --
for peer in NoahMP SUMMA; do
   file="$PYLAND_SHARED/data/peers/US-Wkg_$peer.nc"
   if [ -e "$file" ]; then set -- "$@" --peer "$file"; fi
done
pyland diagnose . skill "$@"
pyland diagnose . assimilation
pyland plot .
