#!/bin/sh
# Make what arrives (half a minute), replay 60 days of real time with a call every six hours, show the board, draw the figure.
# DAYS=10 replays the first ten days only.
set -eu
cd "$(dirname "$0")"
DAYS="${DAYS:-60}"
python3 deliver.py make --days 60
python3 replay.py --days "$DAYS"
pyland cycle . --status
python3 draw.py
