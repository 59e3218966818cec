"""ParFlow binary files (PFB): fields on a regular grid, in one piece or cut into subgrids.

A file is big-endian: the lower corner x, y, z (3 doubles), the number of cells NX, NY, NZ (3 integers of 32 bits), the
size of a cell DX, DY, DZ (3 doubles) and the number of subgrids (integer); then each subgrid with its first cell
ix, iy, iz, its cells nx, ny, nz and three refinement levels (9 integers), followed by its values (doubles, x fastest).
Format: ParFlow user's manual, "ParFlow Binary Files (.pfb)". Beside a file cut for several processes lies a text file
``NAME.pfb.dist`` with the byte at which each subgrid starts.

ParFlow counts layers from the bottom; pyland's layer 0 is the top. Here, and only here, is where one is turned into the
other: ``flip=True``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError

_HEADER = struct.Struct(">3d3i3di")
_SUBGRID = struct.Struct(">9i")
_VALUE = np.dtype(">f8")
_REFINEMENT = (1, 1, 1)
"""What ParFlow's own Python tools write for the refinement of a subgrid; no program reads it."""


@dataclass(frozen=True)
class PfbSubgrid:
    """One piece of a file.

    Attributes
    ----------
    start : tuple of int
        First cell (z, y, x), counted from the bottom, the south and the west.
    shape : tuple of int
        Cells (z, y, x).
    offset : int
        Byte of the file at which the values start.
    """

    start: tuple[int, int, int]
    shape: tuple[int, int, int]
    offset: int

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1] * self.shape[2]


@dataclass(frozen=True)
class PfbHeader:
    """What a file says of its grid.

    Attributes
    ----------
    shape : tuple of int
        Cells (z, y, x).
    lower : tuple of float
        Lower corner x, y, z, in ParFlow's unit of length.
    spacing : tuple of float
        Size of a cell dx, dy, dz, in ParFlow's unit of length.
    subgrids : tuple of PfbSubgrid
        The pieces, in the order of the file.
    """

    shape: tuple[int, int, int]
    lower: tuple[float, float, float]
    spacing: tuple[float, float, float]
    subgrids: tuple[PfbSubgrid, ...]


def read_pfb_header(path: str | Path) -> PfbHeader:
    """Read and check the header of a file and of all its subgrids.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    PfbHeader
        Grid and pieces.

    Raises
    ------
    InputError
        If there is no such file, or it is no PFB file, is cut off, or its pieces do not make up its grid.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: there is no such file.")
    length = file.stat().st_size
    with file.open("rb") as stream:
        first = stream.read(_HEADER.size)
        if len(first) < _HEADER.size:
            raise InputError(f"{file}: a PFB file starts with {_HEADER.size} bytes of header, this one has {length}.")
        x, y, z, nx, ny, nz, dx, dy, dz, count = _HEADER.unpack(first)
        if _is_little_endian(first, length):
            raise InputError(f"{file}: its numbers are little-endian, those of PFB are big-endian; write it anew.")
        if min(nx, ny, nz, count) < 1 or not np.isfinite((x, y, z, dx, dy, dz)).all() or count > nx * ny * nz:
            raise InputError(
                f"{file}: this is no PFB file; its header gives {nx} x {ny} x {nz} cells of {dx:g} x {dy:g} x {dz:g} "
                f"in {count} subgrids. PFB starts with three doubles, three integers and three doubles, big-endian."
            )
        shape = (nz, ny, nx)
        subgrids = tuple(_read_subgrids(file, stream, shape, count, length))
    covered = sum(piece.size for piece in subgrids)
    if covered < nx * ny * nz:
        raise InputError(
            f"{file}: the {count} subgrids hold {covered} cells, the header promises {nx} x {ny} x {nz} = "
            f"{nx * ny * nz}."
        )
    end = subgrids[-1].offset + _VALUE.itemsize * subgrids[-1].size
    if end != length:
        raise InputError(
            f"{file}: expected {end} bytes by its headers, got {length}; something follows the last subgrid."
        )
    return PfbHeader(shape, (x, y, z), (dx, dy, dz), subgrids)


def read_pfb(
    path: str | Path,
    *,
    flip: bool = False,
    z: slice | None = None,
    y: slice | None = None,
    x: slice | None = None,
) -> np.ndarray:
    """Read a field, or a box of it.

    The file is mapped into memory: of a large file, only the pages of the box are read.

    Parameters
    ----------
    path : str or Path
        The file.
    flip : bool
        Turn the layers over: False keeps ParFlow's order (layer 0 at the bottom), True gives pyland's (0 at the top).
    z, y, x : slice, optional
        The box, with steps of 1; default all. With ``flip``, ``z`` counts from the top.

    Returns
    -------
    numpy.ndarray, shape (z, y, x)
        Values as double precision of this machine, in the unit of the file.

    Raises
    ------
    InputError
        If the file is wrong, or the box is empty or has steps.

    Examples
    --------
    >>> import numpy as np, tempfile, os
    >>> from pyland.subsurface import read_pfb, write_pfb
    >>> file = os.path.join(tempfile.mkdtemp(), "press.pfb")
    >>> write_pfb(file, np.arange(24.0).reshape(2, 3, 4), flip=True)
    >>> read_pfb(file)[0, 0]                        # ParFlow's bottom layer is pyland's last
    array([12., 13., 14., 15.])
    >>> read_pfb(file, flip=True, z=slice(0, 1), x=slice(2, 4)).tolist()
    [[[2.0, 3.0], [6.0, 7.0], [10.0, 11.0]]]
    """
    header = read_pfb_header(path)
    box = [_bounds(path, name, part, cells) for name, part, cells in zip("zyx", (z, y, x), header.shape, strict=True)]
    if flip:
        first, last = box[0]
        box[0] = (header.shape[0] - last, header.shape[0] - first)
    values = _read_box(path, header, box)
    return np.ascontiguousarray(values[::-1]) if flip else values


def iterate_pfb(path: str | Path, *, flip: bool = False, layers: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    """Read a large field some layers at a time.

    Parameters
    ----------
    path : str or Path
        The file.
    flip : bool
        Start at the top, as :func:`read_pfb`.
    layers : int
        Layers at a time.

    Yields
    ------
    tuple of (int, numpy.ndarray)
        Index of the first layer, and the values (z, y, x) of the next ones.

    Raises
    ------
    InputError
        If the file is wrong or ``layers`` is not positive.
    """
    if layers < 1:
        raise InputError(f"iterate_pfb: layers: expected at least 1, got {layers}.")
    header = read_pfb_header(path)
    total = header.shape[0]
    across = [(0, header.shape[1]), (0, header.shape[2])]
    for first in range(0, total, layers):
        last = min(first + layers, total)
        if flip:
            yield first, np.ascontiguousarray(_read_box(path, header, [(total - last, total - first), *across])[::-1])
        else:
            yield first, _read_box(path, header, [(first, last), *across])


def write_pfb(
    path: str | Path,
    values: np.ndarray,
    *,
    flip: bool = False,
    lower: tuple[float, float, float] = (0.0, 0.0, 0.0),
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    subgrids: tuple[int, int, int] = (1, 1, 1),
    dist: bool = True,
) -> None:
    """Write a field as ParFlow and its tools write it, byte for byte.

    Parameters
    ----------
    path : str or Path
        The file. It appears under this name only when it is complete.
    values : array_like, shape (z, y, x) or (y, x)
        The field.
    flip : bool
        True if layer 0 of ``values`` is the top (pyland), False if it is the bottom (ParFlow).
    lower : tuple of float
        Lower corner x, y, z.
    spacing : tuple of float
        Size of a cell dx, dy, dz.
    subgrids : tuple of int
        Number of pieces P, Q, R along x, y, z: ``Process.Topology`` of the run that reads the file.
    dist : bool
        Write ``NAME.dist`` too, which ParFlow needs beside every file that it reads.

    Raises
    ------
    InputError
        If the values are no numbers in two or three dimensions, or there are more pieces than cells.
    """
    file = Path(path)
    field = np.asarray(values)
    if field.ndim not in (2, 3) or 0 in field.shape or field.dtype.kind not in "fiub":
        raise InputError(f"{file}: expected numbers of shape (z, y, x) or (y, x), got {field.dtype} of {field.shape}.")
    field = field.reshape((1, *field.shape)) if field.ndim == 2 else field
    field = field[::-1] if flip else field
    pieces = _cut(file, field.shape, subgrids)
    with written_aside(file) as partial, partial.open("wb") as stream:
        cells = field.shape[::-1]
        stream.write(_HEADER.pack(*map(float, lower), *cells, *map(float, spacing), len(pieces)))
        for piece in pieces:
            stream.write(_SUBGRID.pack(*piece.start[::-1], *piece.shape[::-1], *_REFINEMENT))
            part = field[tuple(slice(i, i + n) for i, n in zip(piece.start, piece.shape, strict=True))]
            for layer in part:  # one layer at a time: no second copy of a large field
                stream.write(np.ascontiguousarray(layer, _VALUE).tobytes())
    if dist:
        write_pfb_dist(file)


def write_pfb_dist(path: str | Path) -> Path:
    """Write the ``.dist`` file beside a PFB file: the byte at which each subgrid starts, one a line.

    ParFlow's first entry is 0, because the piece of the first process starts with the header of the file.

    Parameters
    ----------
    path : str or Path
        The PFB file.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the PFB file is wrong.
    """
    starts = [piece.offset - _SUBGRID.size for piece in read_pfb_header(path).subgrids]
    starts[0] = 0
    target = Path(f"{path}.dist")
    with written_aside(target) as partial:
        partial.write_text("".join(f"{start}\n" for start in starts))
    return target


def _read_subgrids(file: Path, stream, shape: tuple, count: int, length: int) -> Iterator[PfbSubgrid]:
    """Walk over the headers of the subgrids."""
    offset = _HEADER.size
    for number in range(1, count + 1):
        stream.seek(offset)
        head = stream.read(_SUBGRID.size)
        where = f"{file}: subgrid {number} of {count}"
        if len(head) < _SUBGRID.size:
            raise InputError(
                f"{where} should start at byte {offset}, the file ends at {length}; it was cut off, or is no PFB file."
            )
        ix, iy, iz, nx, ny, nz = _SUBGRID.unpack(head)[:6]
        start, size = (iz, iy, ix), (nz, ny, nx)
        fits = all(n > 0 and i >= 0 and i + n <= cells for i, n, cells in zip(start, size, shape, strict=True))
        if not fits:
            raise InputError(
                f"{where} has {nx} x {ny} x {nz} cells from ({ix}, {iy}, {iz}); the grid has {shape[2]} x {shape[1]} x "
                f"{shape[0]}."
            )
        piece = PfbSubgrid(start, size, offset + _SUBGRID.size)
        offset = piece.offset + _VALUE.itemsize * piece.size
        if offset > length:
            raise InputError(
                f"{where} should end at byte {offset}, the file has {length} bytes; it was cut off, or is no PFB file."
            )
        yield piece


def _read_box(path: str | Path, header: PfbHeader, box: list[tuple[int, int]]) -> np.ndarray:
    """Gather the cells of a box, layers from the bottom, out of the subgrids that touch it."""
    out = np.empty([last - first for first, last in box])
    for piece in header.subgrids:
        lows = [max(first, i) for (first, _), i in zip(box, piece.start, strict=True)]
        highs = [min(last, i + n) for (_, last), i, n in zip(box, piece.start, piece.shape, strict=True)]
        if any(low >= high for low, high in zip(lows, highs, strict=True)):
            continue
        mapped = np.memmap(path, _VALUE, "r", piece.offset, piece.shape)
        inside = tuple(slice(a - i, b - i) for a, b, i in zip(lows, highs, piece.start, strict=True))
        target = tuple(slice(a - first, b - first) for a, b, (first, _) in zip(lows, highs, box, strict=True))
        out[target] = mapped[inside]
    return out


def _bounds(path: str | Path, name: str, part: slice | None, cells: int) -> tuple[int, int]:
    """Return first and last index of a part of an axis."""
    first, last, step = (part or slice(None)).indices(cells)
    if step != 1 or last <= first:
        raise InputError(f"{path}: {name}: expected a slice with at least one of {cells} cells and step 1, got {part}.")
    return first, last


def _cut(file: Path, shape: tuple, subgrids: tuple[int, int, int]) -> list[PfbSubgrid]:
    """Cut a grid as ParFlow does: equal pieces, the first ones a cell longer where it does not divide; x fastest."""
    parts = tuple(subgrids)[::-1]
    if len(parts) != 3 or any(not 1 <= n <= cells for n, cells in zip(parts, shape, strict=True)):
        raise InputError(
            f"{file}: subgrids: expected three numbers P, Q, R between 1 and the cells along x, y, z {shape[::-1]}, "
            f"got {tuple(subgrids)}."
        )
    axes = []
    for count, cells in zip(parts, shape, strict=True):
        each, rest = divmod(cells, count)
        axes.append([(n * each + min(n, rest), each + (n < rest)) for n in range(count)])
    pieces, offset = [], _HEADER.size
    for k, depth in axes[0]:
        for j, height in axes[1]:
            for i, width in axes[2]:
                piece = PfbSubgrid((k, j, i), (depth, height, width), offset + _SUBGRID.size)
                pieces.append(piece)
                offset = piece.offset + _VALUE.itemsize * piece.size
    return pieces


def _is_little_endian(first: bytes, length: int) -> bool:
    """Tell whether the header describes the file with its bytes turned round, and only then."""
    size = []
    for order in ("<", ">"):
        nx, ny, nz, count = (struct.unpack_from(f"{order}i", first, at)[0] for at in (24, 28, 32, 60))
        positive = min(nx, ny, nz, count) > 0
        size.append(_HEADER.size + _SUBGRID.size * count + _VALUE.itemsize * nx * ny * nz if positive else 0)
    return size[0] == length != size[1]
