# Bring a fresh Debian or Ubuntu machine to a built and installed pyland in .venv.
# Does only what is missing. Sourced by demo.sh and check.sh.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
python=${PYTHON:-python3}

say() { printf '== %s\n' "$*"; }

need=""
command -v gcc >/dev/null 2>&1 || need="$need gcc libc6-dev"
command -v gfortran >/dev/null 2>&1 || need="$need gfortran"
command -v mpifort >/dev/null 2>&1 || need="$need libopenmpi-dev"
command -v mpirun >/dev/null 2>&1 || need="$need openmpi-bin"
"$python" -c 'import ensurepip' >/dev/null 2>&1 || need="$need python3-venv"
"$python" -c 'import os, sysconfig as s, sys; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))' \
   || need="$need python3-dev"
if [ -n "$need" ]; then
   say "system packages:$need"
   command -v apt-get >/dev/null 2>&1 || { echo "install these by hand:$need" >&2; exit 1; }
   sudo=""
   [ "$(id -u)" -eq 0 ] || sudo=sudo
   $sudo apt-get update -qq
   # shellcheck disable=SC2086
   $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need >/dev/null
fi

if [ ! -x .venv/bin/python ]; then
   say "virtual environment .venv"
   "$python" -m venv .venv
fi

# PYLAND_BUILD chooses the build: native (default, tuned for this machine) or portable
case "${PYLAND_BUILD:-native}" in
   native) setup_args="-Dnative=true" ;;
   portable) setup_args="-Dnative=false" ;;
   *) echo "PYLAND_BUILD is '${PYLAND_BUILD}'; expected native or portable" >&2; exit 2 ;;
esac
# PYLAND_EXTRAS names more extras of pyproject.toml, for instance crosscheck,lstm: tests that compare with other packages
extras="test,plot${PYLAND_EXTRAS:+,$PYLAND_EXTRAS}"
stamp=.venv/pyland.stamp
if [ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$setup_args $extras" ] \
   || [ -n "$(find pyland fortran tools/wrap_fortran.py meson.build meson.options pyproject.toml -type f -newer "$stamp" ! -name '*.pyc' | head -n 1)" ]; then
   say "build and install ($setup_args)"
   .venv/bin/python -m pip install -q --disable-pip-version-check ".[$extras]" --config-settings=setup-args="$setup_args"
   printf '%s' "$setup_args $extras" > "$stamp"
fi

# run-time settings shared by both commands
if [ "$(id -u)" -eq 0 ]; then
   export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# without ssh Open MPI 4 refuses to start even on one machine
command -v ssh >/dev/null 2>&1 || export OMPI_MCA_plm_rsh_agent=
export PYTHONSAFEPATH=1 # import the installed package, not the source tree
