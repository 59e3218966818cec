"""Run f90wrap and f2py for the build; called by meson, never by hand.

Both tools write into the current directory, and f90wrap leaves side files
(.f2py_f2cmap), so they run in a scratch directory and only the files that
meson expects are copied out.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def run(cmd: list[str], cwd: Path, log: Path) -> None:
    """Run one tool; show its log only when it fails."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": "0"}  # f2py writes a date into its output
    done = subprocess.run(cmd, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with log.open("a") as handle:
        handle.write("$ " + " ".join(cmd) + "\n" + done.stdout)
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        raise SystemExit(f"{cmd[2]} failed with status {done.returncode}")


def add_threadsafe(path: Path) -> None:
    """Tell f2py that each wrapper may run without the GIL."""
    text = path.read_text()
    text = re.sub(r"(?m)^(    implicit none)$", r"    !f2py threadsafe\n\1", text)
    path.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--outdir", type=Path, required=True)
    parser.add_argument("--module", required=True, help="high-level module name, e.g. core")
    parser.add_argument("--extension", required=True, help="low-level extension name, e.g. _core")
    parser.add_argument("--package", required=True, help="package holding both, e.g. pyland._core")
    parser.add_argument("--kind-map", type=Path, required=True)
    parser.add_argument("sources", nargs="+", type=Path)
    args = parser.parse_args()

    outdir = args.outdir.resolve()
    log = outdir / f"{args.module}_f90wrap.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="f90wrap_") as scratch:
        work = Path(scratch)
        run(
            [sys.executable, "-m", "f90wrap", "-m", args.module,
             "--f90-mod-name", f"{args.package}.{args.extension}",
             "-k", str(args.kind_map.resolve()),
             *[str(s.resolve()) for s in args.sources]],
            work, log)
        wrappers = [work / f"f90wrap_{s.stem}.f90" for s in args.sources]
        for wrapper in wrappers:
            add_threadsafe(wrapper)
        run([sys.executable, "-m", "numpy.f2py", "-m", args.extension, "--lower",
             *[w.name for w in wrappers]], work, log)
        outputs = [work / f"{args.module}.py", work / f"{args.extension}module.c",
                   work / f"{args.extension}-f2pywrappers.f", *wrappers]
        # f90wrap's parser fails silently on some syntax; do not let that reach the user
        if "unknown_subroutine" in (work / f"{args.extension}module.c").read_text():
            raise SystemExit("f2py met a malformed wrapper; see " + str(log))
        if "f90wrap_abort" in "".join(w.read_text() for w in wrappers):
            raise SystemExit("a wrapper needs f90wrap_abort (an array of a derived type?); change the type")
        for output in outputs:
            # an unchanged file keeps its time stamp, so ninja (restat) skips what depends on it
            target = outdir / output.name
            new = output.read_bytes()
            if not target.exists() or target.read_bytes() != new:
                target.write_bytes(new)


if __name__ == "__main__":
    main()
