#!/bin/sh
# Make weather, counts and N of COSMIC of the station's files, run the case and judge it by the counts that were withheld.
# Without PYLAND_SHARED the files are looked for in a folder "shared" beside the repository.
set -eu
cd "$(dirname "$0")"
PYLAND_SHARED="${PYLAND_SHARED:-$(cd ../../.. && pwd)/shared}"
export PYLAND_SHARED
python3 prepare.py
pyland run .
pyland diagnose . assimilation
pyland plot .
python3 compare.py
