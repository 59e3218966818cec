"""Hourly records of ParFlow-CLM's weather: a text file of one place, or PFB files of a grid.

ParFlow-CLM knows three layouts of the same eight variables (ParFlow user's manual, keys ``Solver.CLM.MetForcing`` and
``MetFileNT``): 1D is a text file with a line per hour, 2D a file ``PREFIX.VAR.NNNNNN.pfb`` per variable and hour, 3D a
file ``PREFIX.VAR.AAAAAA_to_BBBBBB.pfb`` per variable and some hours, which lie along z. Numbers count hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyland.base.errors import InputError
from pyland.domain.pfb import read_pfb, read_pfb_header

VARIABLES = ("DSWR", "DLWR", "APCP", "Temp", "UGRD", "VGRD", "Press", "SPFH")
"""Variables in the order of the columns of a text file.

Shortwave and longwave downward [W m-2], precipitation [kg m-2 s-1], air temperature [K], wind to the east and to the
north [m s-1], surface pressure [Pa], specific humidity [kg kg-1].
"""

_NAME = re.compile(rf"(?P<prefix>.+)\.(?P<variable>{'|'.join(VARIABLES)})\.(?P<first>\d+)(?:_to_(?P<last>\d+))?\.pfb")


class RecordFile(NamedTuple):
    """A file of one variable."""

    first: int
    """Number of its first record."""
    last: int
    path: Path

    @property
    def count(self) -> int:
        """Number of records."""
        return self.last - self.first + 1


class TextRecords:
    """The 1D layout: a text file with a line of eight numbers per hour.

    Parameters
    ----------
    path : Path
        The file; its first line is record 1.

    Raises
    ------
    InputError
        If the file is missing or its lines are not eight numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            self._values = np.array([line.split() for line in lines if line.strip()], dtype=np.float64)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as lines of {len(VARIABLES)} numbers ({error}).") from None
        if self._values.shape[1:] != (len(VARIABLES),) or not len(self._values):
            raise InputError(
                f"{path}: expected {len(VARIABLES)} numbers a line ({', '.join(VARIABLES)}), got "
                f"{' x '.join(map(str, self._values.shape))} of them."
            )

    def last_record(self, first: int) -> int:
        """Return the number of the last record, counted from 1."""
        return max(len(self._values), first - 1)

    def check(self, first: int, last: int) -> None:
        """Raise InputError if the file ends before a record."""
        if last > len(self._values):
            raise InputError(f"{self.path}: record {last} is needed, but the file has {len(self._values)} lines.")

    def read(self, record: int) -> dict[str, np.ndarray]:
        """Return the variables of a record, each (1,)."""
        return {name: self._values[record - 1, column : column + 1] for column, name in enumerate(VARIABLES)}

    def file_of(self, name: str, record: int) -> Path:
        """Return the file that holds a variable of a record."""
        return self.path

    def files(self, first: int, last: int) -> list[Path]:
        """Return the files of some records."""
        return [self.path]


class PfbRecords:
    """The 2D and 3D layouts: PFB files in a folder. A file is read once while its records are needed in order.

    Parameters
    ----------
    folder : Path
        Where the files are.
    prefix : str or None
        What their names begin with; None for the only one there is.
    shape : tuple of int
        Rows and columns of the domain.
    cells : numpy.ndarray of int
        Places in the flattened grid (y, x) of the cells to read; only their rows are read.

    Raises
    ------
    InputError
        If a variable has no file, or there are several prefixes.
    """

    def __init__(self, folder: Path, prefix: str | None, shape: tuple[int, int], cells: np.ndarray) -> None:
        self.path, self._shape = folder, shape
        self.prefix, self._files = _list_files(folder, prefix)
        bottom, top = int(cells.min()) // shape[1], int(cells.max()) // shape[1]
        self._rows = slice(bottom, top + 1)
        self._cells = cells - bottom * shape[1]
        self._loaded: dict[str, tuple[RecordFile, np.ndarray]] = {}

    def last_record(self, first: int) -> int:
        """Return the last record up to which all variables have records without a gap; ``first`` - 1 if none."""
        return min(self._reach(name, first) for name in VARIABLES)

    def check(self, first: int, last: int) -> None:
        """Make sure that all files of some records are there, whole, and on the grid of the domain.

        Raises
        ------
        InputError
            For the first file that is not.
        """
        for name in VARIABLES:
            reached = self._reach(name, first)
            if reached < last:
                raise InputError(
                    f"{self.path}: record {reached + 1} of {name} is missing (records {first} to {last} are needed); "
                    f"expected {self.prefix}.{name}.{reached + 1:06d}.pfb or a file of several records that begins "
                    "there. Copy it, or change time.start and time.end."
                )
            sizes: dict[int, int] = {}
            for file in self._files_of(name, first, last):
                size = file.path.stat().st_size
                if sizes.get(file.count) != size:  # of files of one kind, the header of the first speaks for all
                    self._check_header(file)
                    sizes.setdefault(file.count, size)

    def read(self, record: int) -> dict[str, np.ndarray]:
        """Return the variables of a record, each (cell,).

        Raises
        ------
        InputError
            If a file has vanished or is damaged.
        """
        out = {}
        for name in VARIABLES:
            file, values = self._loaded.get(name, (None, None))
            if file is None or not file.first <= record <= file.last:
                file = self._files[name][record]
                values = self._load(name, file)
                self._loaded[name] = (file, values)
            out[name] = values[record - file.first]
        return out

    def file_of(self, name: str, record: int) -> Path:
        """Return the file that holds a variable of a record."""
        return self._files[name][record].path

    def files(self, first: int, last: int) -> list[Path]:
        """Return the files of some records."""
        return [file.path for name in VARIABLES for file in self._files_of(name, first, last)]

    def _reach(self, name: str, first: int) -> int:
        """Return the last record of a variable before a gap."""
        record, files = first, self._files[name]
        while record in files:
            record = files[record].last + 1
        return record - 1

    def _files_of(self, name: str, first: int, last: int) -> Iterable[RecordFile]:
        record = first
        while record <= last:
            file = self._files[name][record]
            yield file
            record = file.last + 1

    def _check_header(self, file: RecordFile) -> None:
        cells, (ny, nx) = read_pfb_header(file.path).shape, self._shape
        if cells[1:] != self._shape:
            raise InputError(
                f"{file.path}: expected {nx} x {ny} cells (x, y) as in the domain, got {cells[2]} x {cells[1]}; change "
                "domain.nx and domain.ny, or forcing.path."
            )
        if cells[0] != file.count:
            raise InputError(f"{file.path}: expected {file.count} records along z by its name, got {cells[0]}.")

    def _load(self, name: str, file: RecordFile) -> np.ndarray:
        """Return the records of a file at the cells, (record, cell)."""
        try:
            self._check_header(file)
            values = read_pfb(file.path, y=self._rows)
        except (InputError, OSError) as error:
            raise InputError(
                f"{error} It holds records {file.first} to {file.last} of {name}, which the run needs now; put it back "
                "and go on with `pyland run CASE --resume`."
            ) from None
        return values.reshape(file.count, -1)[:, self._cells]


def _list_files(folder: Path, prefix: str | None) -> tuple[str, dict[str, dict[int, RecordFile]]]:
    """Return the prefix, and per variable the file of every record.

    Raises
    ------
    InputError
        If a variable has no file, two files hold one record, or the prefix is not clear.
    """
    found: dict[str, dict[str, dict[int, RecordFile]]] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None or (prefix is not None and match["prefix"] != prefix):
            continue
        file = RecordFile(int(match["first"]), int(match["last"] or match["first"]), path)
        records = found.setdefault(match["prefix"], {}).setdefault(match["variable"], {})
        for record in range(file.first, file.last + 1):
            if record in records:
                raise InputError(f"{folder}: {records[record].path.name} and {path.name} both hold record {record}.")
            records[record] = file
    if len(found) > 1:
        raise InputError(f"{folder}: there are forcing files of {', '.join(sorted(found))}; choose one with "
                         "forcing.prefix.")
    chosen, files = next(iter(found.items()), (prefix or "PREFIX", {}))
    missing = [name for name in VARIABLES if name not in files]
    if missing:
        raise InputError(
            f"{folder}: there are no forcing files of {', '.join(missing)}; expected {chosen}.{missing[0]}.000001.pfb "
            f"or {chosen}.{missing[0]}.000001_to_000024.pfb, and so on for {', '.join(VARIABLES)}."
        )
    return chosen, files
