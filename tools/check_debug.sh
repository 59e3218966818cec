#!/bin/sh
# Build the core with run-time checks and floating-point traps beside the normal build, and run the tests of kernels.
# Arguments go to pytest.
. "$(dirname "$0")/setup.sh"
debug=.venv-debug
stamp=$debug/pyland.stamp
if [ ! -x $debug/bin/python ]; then
   say "virtual environment $debug, with the packages of .venv"
   .venv/bin/python -m venv --without-pip $debug
   packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
   echo "$packages" > "$($debug/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/packages.pth"
fi
if [ ! -e $stamp ] \
   || [ -n "$(find pyland fortran tools/wrap_fortran.py meson.build meson.options pyproject.toml -type f -newer $stamp ! -name '*.pyc' | head -n 1)" ]; then
   say "build with run-time checks"
   .venv/bin/python -m pip --python $debug/bin/python install -q --disable-pip-version-check --no-deps --force-reinstall . \
      --config-settings=setup-args=-Ddebug_checks=true
   touch $stamp
fi
say "tests of kernels with run-time checks"
filters=$(printf 'tests/unit/assimilate/test_%s.py ' every_filter global_filters local_filter localisation_options \
   reproducibility serial_and_covariance transform_weights) # the others run no kernel that these do not
microwave=$(printf 'tests/unit/observe/test_microwave_%s.py ' dielectric emission layered)
observed="$microwave tests/unit/observe/neutrons/test_cosmic.py"
# shellcheck disable=SC2086
[ "$#" -gt 0 ] || set -- tests/unit/land tests/unit/subsurface tests/unit/coupling $filters $observed tests/physics
OMP_NUM_THREADS=1 $debug/bin/python -m pytest -n "$(env -u OMP_NUM_THREADS nproc)" --dist worksteal "$@"
