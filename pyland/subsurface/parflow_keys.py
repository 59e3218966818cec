"""Keys of a ParFlow run definition: reading the file, and keeping account of what was used, ignored and refused."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from pyland.base.errors import InputError
from pyland.base.text import one_of, shown

_NODE_VALUE = "_value_"
"""How ParFlow's tools write the value of a key that has keys below it, in nested files."""

_IGNORED = (
    ("FileVersion", "version of the list of keys"),
    ("Metadata*", "describes the run"),
    ("Process.Topology.*", "processes of ParFlow; those of pyland are the ranks of mpirun"),
    ("UseClustering", "how ParFlow keeps its geometries"),
    ("TimingInfo.*", "when ParFlow stops or writes"),
    ("Solver.Nonlinear.ChannelWidth*", "ParFlow reads channel widths and does not use them"),
    ("ChannelWidth*", "ParFlow reads channel widths and does not use them"),
    ("Solver.Nonlinear.*", "steers ParFlow's Newton iteration; pyland has tolerance and max_iterations"),
    ("Solver.Linear*", "steers ParFlow's linear solver; pyland has its own"),
    ("Solver.MaxConvergenceFailures", "how often ParFlow halves a step; pyland has min_step"),
    ("Solver.AbsTol", "tolerance of ParFlow's solver"),
    ("Solver.RelTol", "tolerance of ParFlow's solver"),
    ("Solver.Drop", "clipping of ParFlow's data"),
    ("Solver.CFL", "transport of solutes only"),
    ("Solver.*dvectOrder", "transport of solutes only"),
    ("Solver.SurfacePredictor*", "first guess of ParFlow's solver"),
    ("Solver.Print*", "files that ParFlow writes"),
    ("Solver.Write*", "files that ParFlow writes"),
    ("Solver.BinaryOutDir", "files that ParFlow writes"),
    ("Solver.CLM.*", "ParFlow's land model; pyland has its own"),
    ("Solver.SlopeAccountingCLM", "ParFlow's land model; pyland has its own"),
    *(
        (f"Solver.{name}", "steers ParFlow's linear solver; pyland has its own")
        for name in (
            "BoxSizePowerOf2", "CoarseSolve", "DiagScale", "DiagSolver", "DropTol", "Jacobian", "MaxLevels",
            "MaxMinN?", "NonlinearSolver", "PolyDegree", "PolyPC", "RAPType", "Smoother", "Symmetric", "TwoNorm",
            "Weight",
        )
    ),
    ("SILO.*", "files that ParFlow writes"),
    ("NetCDF.*", "files that ParFlow writes"),
    ("KnownSolution*", "ParFlow compares with it, it does not act on the flow"),
    ("Contaminants.*", "solutes do not act on the flow"),
    ("PhaseConcen.*", "solutes do not act on the flow"),
    ("Geom.Retardation.*", "solutes do not act on the flow"),
    ("Geom.*.Retardation*", "solutes do not act on the flow"),
    ("Phase.*.Mobility.*", "solver Impes only"),
    ("*.RelPerm.NumSamplePoints", "ParFlow looks the curve up in a table, pyland computes it"),
    ("*.RelPerm.MinPressureHead", "ParFlow looks the curve up in a table, pyland computes it"),
    ("*.RelPerm.InterpolationMethod", "ParFlow looks the curve up in a table, pyland computes it"),
    ("BCSaturation.*", "two phases only"),
    ("*.BCSaturation.*", "two phases only"),
    ("ICSaturation.*", "two phases only"),
    ("*.ICSaturation.*", "two phases only"),
    ("CapPressure.*", "two phases only"),
    ("*.CapPressure.*", "two phases only"),
    ("Wells.*.Saturation.*", "two phases only"),
    ("Wells.*.Concentration.*", "solutes do not act on the flow"),
)
"""Keys that do not act on the flow, or only on how ParFlow computes it, and why; the first match counts."""

_FAMILIES = (
    "BCPressure.*", "Cell.*", "ComputationalGrid.*", "Cycle.*", "Domain.*", "FB?.*", "Geom.*", "GeomInput.*",
    "ICPressure.*", "Mannings.*", "OverlandFlowSpinUp*", "OverlandSpinupDamp*", "Patch.*", "Perm.*", "Phase.*",
    "PhaseSources.*", "Reservoirs.*", "Solver.EvapTrans*", "Solver.Overland*", "Solver.ResetSurfacePressure*",
    "SpecificStorage.*", "TimeStep.*", "TopoSlopesX.*", "TopoSlopesY.*", "Wells.*", "dzScale.*",
)  # fmt: skip
"""Keys that are read where a type of the definition needs them; left over, they have no effect in ParFlow either."""


@dataclass(frozen=True)
class KeyNote:
    """A key that was not taken over.

    Attributes
    ----------
    key : str
        Its full name.
    value : object
        What the definition says.
    why : str
        Why it was not taken, and what pyland does instead.
    """

    key: str
    value: object
    why: str

    def __str__(self) -> str:
        """One line of a report."""
        return f"{self.key} = {shown(self.value)}: {self.why}"


class RunKeys:
    """Keys and values of one run definition.

    Parameters
    ----------
    values : Mapping
        Values by full name, ``Geom.domain.Lower.X``. Capitals do not matter, as in ParFlow's own documentation.
    source : Path
        The file; names of files in it start at its folder.

    Attributes
    ----------
    refused : list of KeyNote
        Keys that act on the flow and that pyland does not have.
    notes : list of str
        Where pyland and ParFlow differ for this run, sentences.
    """

    def __init__(self, values: Mapping[str, object], source: Path) -> None:
        self.source = source
        self.refused: list[KeyNote] = []
        self.notes: list[str] = []
        self._values = {str(key).casefold(): (str(key), value) for key, value in values.items()}
        self._used: set[str] = set()

    def get(self, key: str, default: object = None) -> object:
        """Return a value, or the default; the key counts as used."""
        self._used.add(key.casefold())
        return self._values.get(key.casefold(), (key, default))[1]

    def need(self, key: str) -> object:
        """Return a value; InputError if the definition does not have it."""
        value = self.get(key)
        if value is None:
            raise InputError(f"{self.source}: the key {key} is missing.")
        return value

    def has(self, key: str) -> bool:
        """Tell whether the definition has a key."""
        return key.casefold() in self._values

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number; InputError if it is missing without default, or no number."""
        value = self.need(key) if default is None else self.get(key, default)
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise self.wrong(key, "a number") from None

    def integer(self, key: str, default: int | None = None) -> int:
        """Return an integer; InputError as :meth:`number`."""
        value = self.number(key, default)
        if value != int(value):
            raise self.wrong(key, "a whole number")
        return int(value)

    def flag(self, key: str) -> bool:
        """Return True or False (default); InputError for anything else."""
        value = self.get(key, False)
        text = str(value).casefold()
        if text not in ("true", "false", "1", "0"):
            raise self.wrong(key, "True or False")
        return text in ("true", "1")

    def names(self, key: str) -> list[str]:
        """Return a list of names, written with blanks between them or as a list; empty if the key is missing."""
        value = self.get(key, "")
        return [str(name) for name in value] if isinstance(value, (list, tuple)) else str(value).split()

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """Return one of some words; InputError for others, with the words that pyland has."""
        value = str(self.need(key))
        if value not in choices:
            raise self.wrong(key, f"{one_of(choices)} (what pyland can read)")
        return value

    def file(self, *keys: str) -> Path:
        """Return the file that the first of some keys names, from the folder of the definition."""
        key = next((key for key in keys if self.has(key)), keys[0])
        path = Path(str(self.need(key)))
        file = path if path.is_absolute() else self.source.parent / path
        if not file.is_file():
            raise InputError(f"{self.source}: {key}: there is no file {file}.")
        return file

    def wrong(self, key: str, expected: str) -> InputError:
        """Return the error for a value that is not what was expected."""
        return InputError(f"{self.source}: {key}: expected {expected}, got {shown(self.get(key))}.")

    def refuse(self, key: str, why: str) -> None:
        """Put a key that acts on the flow on the list of what pyland does not have."""
        self.refused.append(KeyNote(key, self.get(key), why))

    def note(self, text: str) -> None:
        """Keep a sentence for the report, once."""
        if text not in self.notes:
            self.notes.append(text)

    def used(self) -> list[str]:
        """Return the names of the keys that were read."""
        return sorted(name for key, (name, _) in self._values.items() if key in self._used)

    def left(self) -> Iterator[tuple[KeyNote, bool]]:
        """Yield what was not read, and whether pyland knows that it does not act on the flow."""
        for key, (name, value) in sorted(self._values.items()):
            if key in self._used:
                continue
            reason = next((why for pattern, why in _IGNORED if fnmatch.fnmatchcase(key, pattern.casefold())), None)
            if reason is None and any(fnmatch.fnmatchcase(key, pattern.casefold()) for pattern in _FAMILIES):
                reason = "not used with the types of this definition"
            if reason is not None:
                yield KeyNote(name, value, reason), True
            else:
                yield KeyNote(name, value, "pyland does not know this key"), False


def read_run_keys(path: str | Path) -> RunKeys:
    """Read a run definition as ParFlow's tools write it.

    Parameters
    ----------
    path : str or Path
        ``.pfidb``, ``.yaml`` or ``.yml``, or ``.json``; keys in full or nested.

    Returns
    -------
    RunKeys
        The keys.

    Raises
    ------
    InputError
        If there is no such file, or it is not of that form.
    """
    file = Path(path)
    readers = {".pfidb": _read_pfidb, ".yaml": yaml.safe_load, ".yml": yaml.safe_load, ".json": json.loads}
    if file.suffix.lower() not in readers:
        raise InputError(f"{file}: expected a ParFlow run definition: a file {one_of(readers)}.")
    try:
        found = readers[file.suffix.lower()](file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file.") from None
    except (ValueError, yaml.YAMLError) as error:  # text that is no UTF-8, JSON or YAML, or a broken database
        raise InputError(f"{file}: this is no ParFlow run definition: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict) or not found:
        raise InputError(f"{file}: expected keys and values of a ParFlow run, got {shown(found)}.")
    return RunKeys(dict(_flat(found)), file)


def _flat(tree: Mapping, above: str = "") -> Iterator[tuple[str, object]]:
    """Write nested keys in full; a layer may be called ``_0`` as in Python or ``0`` as in the file."""
    for name, value in tree.items():
        if name == _NODE_VALUE:
            yield above[:-1], value
            continue
        parts = str(name).split(".")
        full = above + ".".join(part[1:] if part[:1] == "_" and part[1:].isdigit() else part for part in parts)
        if isinstance(value, Mapping):
            yield from _flat(value, full + ".")
        else:
            yield full, value


def _native(text: str) -> object:
    """Return a number or a truth value for text that is one: a database holds text only."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.casefold(), text)


def _read_pfidb(text: str) -> dict[str, object]:
    """Read ParFlow's key database: how many keys, then for each key and each value its length and its text."""
    lines = text.find("\n")
    count, at = int(text[:lines]), lines + 1

    def item() -> str:
        nonlocal at
        end = text.index("\n", at)
        length = int(text[at:end])
        value = text[end + 1 : end + 1 + length]
        at = end + length + 2
        if len(value) < length:
            raise ValueError("it is cut off")
        return value

    try:
        return {item(): _native(item()) for _ in range(count)}
    except ValueError as error:
        raise ValueError(f"{error} (a .pfidb file has the length of each key and value before it)") from None
