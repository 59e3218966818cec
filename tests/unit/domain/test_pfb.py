"""ParFlow binary files: bytes as in the format description, pieces, boxes and broken files."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.domain.pfb import iterate_pfb, read_pfb, read_pfb_header, write_pfb, write_pfb_dist

LOWER, SPACING = (-10.0, 20.0, 1.5), (8.5, 10.25, 0.5)


def field(nz: int = 3, ny: int = 5, nx: int = 7) -> np.ndarray:
    """Values that tell where they are: z y x as digits."""
    z, y, x = np.meshgrid(np.arange(nz), np.arange(ny), np.arange(nx), indexing="ij")
    return 100.0 * z + 10.0 * y + x + 0.125


def bytes_by_hand(values: np.ndarray, pieces: list[tuple]) -> tuple[bytes, str]:
    """Write a file with struct alone; pieces are (ix, iy, iz, nx, ny, nz)."""
    nz, ny, nx = values.shape
    out = struct.pack(">ddd", *LOWER) + struct.pack(">iii", nx, ny, nz) + struct.pack(">ddd", *SPACING)
    out += struct.pack(">i", len(pieces))
    dist = ""
    for number, (ix, iy, iz, mx, my, mz) in enumerate(pieces):
        dist += f"{len(out) if number else 0}\n"
        out += struct.pack(">iiiiiiiii", ix, iy, iz, mx, my, mz, 1, 1, 1)
        for k in range(iz, iz + mz):
            for j in range(iy, iy + my):
                for i in range(ix, ix + mx):
                    out += struct.pack(">d", values[k, j, i])
    return out, dist


ONE = [(0, 0, 0, 7, 5, 3)]
# 7 cells in 3 pieces: 3, 2, 2; 5 in 2: 3, 2; 3 in 2: 2, 1; x fastest
MANY = [
    (x, y, z, nx, ny, nz)
    for z, nz in ((0, 2), (2, 1))
    for y, ny in ((0, 3), (3, 2))
    for x, nx in ((0, 3), (3, 2), (5, 2))
]


@pytest.mark.parametrize(("subgrids", "pieces"), [((1, 1, 1), ONE), ((3, 2, 2), MANY)])
def test_bytes_are_those_of_the_format(tmp_path, subgrids, pieces):
    expected, dist = bytes_by_hand(field(), pieces)
    file = tmp_path / "a.pfb"
    write_pfb(file, field(), lower=LOWER, spacing=SPACING, subgrids=subgrids)
    assert file.read_bytes() == expected
    assert (tmp_path / "a.pfb.dist").read_text() == dist
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pfb", "a.pfb.dist"]
    header = read_pfb_header(file)
    assert (header.shape, header.lower, header.spacing) == ((3, 5, 7), LOWER, SPACING)
    assert len(header.subgrids) == len(pieces)
    np.testing.assert_array_equal(read_pfb(file), field())


def test_layers_turn_over_only_on_demand(tmp_path):
    file = tmp_path / "a.pfb"
    write_pfb(file, field(), flip=True, dist=False)
    np.testing.assert_array_equal(read_pfb(file), field()[::-1])
    np.testing.assert_array_equal(read_pfb(file, flip=True), field())
    np.testing.assert_array_equal(read_pfb(file, flip=True, z=slice(0, 1)), field()[:1])
    assert not (tmp_path / "a.pfb.dist").exists()
    assert write_pfb_dist(file).read_text() == "0\n"


def test_a_box_may_cross_subgrids(tmp_path):
    file = tmp_path / "a.pfb"
    write_pfb(file, field(), subgrids=(3, 2, 2))
    for flip in (False, True):
        whole = field()[::-1] if flip else field()
        box = read_pfb(file, flip=flip, z=slice(1, 3), y=slice(2, -1), x=slice(2, 6))
        np.testing.assert_array_equal(box, whole[1:3, 2:-1, 2:6])
        assert box.dtype == np.float64 and box.flags.c_contiguous
        read = np.concatenate([values for _, values in iterate_pfb(file, flip=flip, layers=2)])
        np.testing.assert_array_equal(read, whole)
    with pytest.raises(InputError, match="x: expected a slice"):
        read_pfb(file, x=slice(0, 7, 2))
    with pytest.raises(InputError, match="y: expected a slice"):
        read_pfb(file, y=slice(5, 9))


def test_maps_of_two_dimensions_and_integers(tmp_path):
    file = tmp_path / "indicator.pfb"
    write_pfb(file, np.arange(6).reshape(2, 3))
    assert read_pfb(file).tolist() == [[[0, 1, 2], [3, 4, 5]]]


def test_broken_files_get_a_sentence(tmp_path):
    file = tmp_path / "a.pfb"
    with pytest.raises(InputError, match="no such file"):
        read_pfb(file)
    whole, _ = bytes_by_hand(field(), MANY)
    for length, message in ((30, "64 bytes of header"), (80, "subgrid 1 of 12 should start"), (700, "cut off")):
        file.write_bytes(whole[:length])
        with pytest.raises(InputError, match=message):
            read_pfb(file)
    file.write_bytes(whole + b"12345678")
    with pytest.raises(InputError, match="something follows the last subgrid"):
        read_pfb(file)
    file.write_bytes(bytes_by_hand(field(), [(0, 0, 0, 7, 5, 2)])[0])
    with pytest.raises(InputError, match="hold 70 cells, the header promises 7 x 5 x 3 = 105"):
        read_pfb(file)
    wide, right = struct.pack(">6i", 0, 0, 0, 8, 5, 3), struct.pack(">6i", 0, 0, 0, 7, 5, 3)
    file.write_bytes(bytes_by_hand(field(), ONE)[0].replace(right, wide))
    with pytest.raises(InputError, match="the grid has 7 x 5 x 3"):
        read_pfb(file)
    file.write_bytes(struct.pack("<3d3i3di9i2d", *LOWER, 2, 1, 1, *SPACING, 1, 0, 0, 0, 2, 1, 1, 1, 1, 1, 4.0, 5.0))
    with pytest.raises(InputError, match="little-endian"):
        read_pfb(file)
    file.write_bytes(b"# a text file of some length, which is no PFB file at all, for sure.")
    with pytest.raises(InputError, match="no PFB file"):
        read_pfb(file)


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="subgrids"):
        write_pfb(tmp_path / "a.pfb", field(), subgrids=(8, 1, 1))
    with pytest.raises(InputError, match="expected numbers of shape"):
        write_pfb(tmp_path / "a.pfb", np.arange(3.0))
    assert not list(tmp_path.iterdir())


def test_files_of_little_washita(tmp_path, shared_data):
    folder = shared_data / "little_washita"
    pieces = {"static/press.init.pfb": (4, 4, 1), "static/LW.slopex.pfb": (1, 1, 1)}
    for name, subgrids in pieces.items():
        file = folder / name
        header = read_pfb_header(file)
        values = read_pfb(file)
        copy = tmp_path / file.name
        write_pfb(copy, values, lower=header.lower, spacing=header.spacing, subgrids=subgrids)
        assert read_pfb_header(copy) == header
        np.testing.assert_array_equal(read_pfb(copy, flip=True)[::-1], values)
    pressure = read_pfb(folder / "static/press.init.pfb", flip=True)
    assert pressure.shape == (50, 41, 41)
    assert pressure[-1].mean() > 80.0 > pressure[0].mean()  # the bottom lies under water
