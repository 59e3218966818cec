#!/bin/sh
# Run the case and find its frozen ground (about two minutes on one core); with the extra ml, let models learn it too.
# transect.nc and initial.nc are there; make_transect.py and make_initial.py (three minutes) make them anew.
set -eu
cd "$(dirname "$0")"
pyland run .
if python3 -c "import sklearn, pygam, xgboost" 2>/dev/null; then
   pyland diagnose . permafrost --table --set "diagnose.permafrost.learning={samples: run, repeats: 30}"
else
   pyland diagnose . permafrost --table
fi
