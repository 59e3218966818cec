"""Check the floors of the Fortran core: who may use whom, and the head of every module.

base <- domain <- {land, subsurface, assimilate, observe} <- coupling <- api. A module lies in the file of its name
(variants aside), says ``implicit none`` and ``private``, and names what it uses with ``only``.
Usage: check_fortran_layers.py [FOLDER]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ALLOWED = {
    "base": {"base"},
    "domain": {"base", "domain"},
    "land": {"base", "domain", "land"},
    "subsurface": {"base", "domain", "subsurface"},
    "assimilate": {"base", "domain", "assimilate"},
    "observe": {"base", "domain", "observe"},
    "coupling": {"base", "domain", "land", "subsurface", "coupling"},
    "api": {"base", "domain", "land", "subsurface", "assimilate", "observe", "coupling", "api"},
}
GENERATED = {"pl_build_info": "base"}
"""Modules that the build writes from a template."""

VARIANTS = {"pl_flow_exchange_mpi": "pl_flow_exchange", "pl_flow_exchange_serial": "pl_flow_exchange"}
"""Modules that come in several files, of which the build takes one."""

_MODULE = re.compile(r"^\s*module\s+(?!procedure\b|subroutine\b|function\b)(\w+)\s*$", re.IGNORECASE | re.MULTILINE)
_USE = re.compile(
    r"^\s*use\b\s*(?:,\s*(intrinsic|non_intrinsic)\s*)?(?:::)?\s*(\w+)(\s*,\s*only\s*:)?", re.IGNORECASE | re.MULTILINE
)
_IMPLICIT = re.compile(r"^\s*implicit\s+none\s*\(\s*type\s*,\s*external\s*\)", re.IGNORECASE | re.MULTILINE)
_PRIVATE = re.compile(r"^\s*private\s*$", re.IGNORECASE | re.MULTILINE)
_PUBLIC = re.compile(r"^\s*public\s*::", re.IGNORECASE | re.MULTILINE)
_FORBIDDEN = re.compile(r"^\s*(?:error\s+)?stop\b|^\s*print\s*[*'\"]|^\s*write\s*\(\s*\*", re.IGNORECASE | re.MULTILINE)
_INTRINSIC = {"iso_c_binding", "iso_fortran_env", "omp_lib", "ieee_arithmetic", "ieee_exceptions", "mpi_f08"}


def without_comments(text: str) -> str:
    """Return the code with comments blanked; an exclamation mark within quotes stays."""
    lines = []
    for line in text.splitlines():
        quote = ""
        for place, character in enumerate(line):
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character == "!":
                line = line[:place]
                break
        lines.append(line)
    return "\n".join(lines)


def check(folder: Path) -> list[str]:
    """Return one sentence per violation below ``folder``."""
    files = sorted(folder.glob("*/*.f90"))
    floor = dict(GENERATED)
    problems = []
    texts = {}
    for file in files:
        texts[file] = without_comments(file.read_text(encoding="utf-8"))
        room = file.parent.name
        if room not in ALLOWED:
            problems.append(f"{file}: '{room}' is not a room; expected one of {', '.join(ALLOWED)}")
        modules = [name.lower() for name in _MODULE.findall(texts[file])]
        expected = VARIANTS.get(file.stem, file.stem)
        if modules != [expected]:
            problems.append(f"{file}: expected exactly the module '{expected}', found {', '.join(modules) or 'none'}")
        for name in modules:
            floor[name] = room
    for file, text in texts.items():
        problems += [f"{file}: {problem}" for problem in _problems(text, file.parent.name, floor)]
    return problems


def _problems(text: str, room: str, floor: dict[str, str]) -> list[str]:
    problems = []
    for pattern, what in ((_IMPLICIT, "implicit none (type, external)"), (_PRIVATE, "private"), (_PUBLIC, "public ::")):
        if not pattern.search(text):
            problems.append(f"expected `{what}` in the head of the module")
    for match in _USE.finditer(text):
        name, line = match[2].lower(), text.count("\n", 0, match.start(2)) + 1
        if not match[3]:
            problems.append(f"line {line}: `use {name}` names nothing; expected `use {name}, only: ...`")
        if name in _INTRINSIC or (match[1] or "").lower() == "intrinsic":
            continue
        if name not in floor:
            problems.append(f"line {line}: module '{name}' is in no room")
        elif floor[name] not in ALLOWED.get(room, set()):
            problems.append(f"line {line}: {room} must not use {name} of {floor[name]}")
    for match in _FORBIDDEN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        problems.append(f"line {line}: `{match[0].strip()}` in library code; raise an error instead")
    return problems


def main() -> int:
    """Print violations; return 1 if there are any."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "fortran"
    problems = check(folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    count = len(list(folder.glob("*/*.f90")))
    print(f"Fortran floors: {count} files, {len(problems)} violations")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
