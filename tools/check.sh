#!/bin/sh
# Set up what is missing, then run the style and structure checks, the tests, and those of the kernels once more with
# run-time checks. Arguments go to pytest: `sh tools/check.sh -m slow` runs whole cases and long physics.
. "$(dirname "$0")/setup.sh"
bin=.venv/bin
# The page of the web map is tested in Chromium. Where it can be installed, it is; elsewhere those tests skip and say so.
if [ -z "${PYLAND_CHROMIUM:-}" ] && ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 \
   && ! command -v google-chrome >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
   sudo=""
   [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
   if [ -z "$sudo" ] || $sudo true 2>/dev/null; then
      say "system package: chromium"
      { $sudo apt-get update -qq \
         && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
         || say "chromium could not be installed; tests of the web page will skip"
   fi
fi
say "structure and style"
"$bin/ruff" check .
"$bin/fortitude" check fortran
"$bin/python" tools/check_fortran_layers.py
"$bin/lint-imports"
say "tests"
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" "$bin/python" -m pytest -n "$(env -u OMP_NUM_THREADS nproc)" --dist worksteal "$@"
[ "$#" -gt 0 ] || sh tools/check_debug.sh
