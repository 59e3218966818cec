"""Cells of sites, grids and files."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.domain import build_domain, regular_grid, site


def section(**keys):
    return load_case({"domain": keys}).domain


def test_site():
    place = build_domain(section(latitude=10, longitude=200, elevation="1 km"))
    assert place.ncell == 1 and place.longitude[0] == -160.0 and place.elevation[0] == 1000.0
    assert not place.is_grid and place.to_grid(np.array([5.0])).shape == (1, 1)


def test_grid_is_centred_and_runs_from_south_west():
    grid = regular_grid(45.0, 10.0, 5, 3, 2000.0, 1000.0)
    assert grid.ncell == 15 and grid.is_grid
    assert grid.x.sum() == pytest.approx(0.0, abs=1e-6) and grid.y.sum() == pytest.approx(0.0, abs=1e-6)
    assert grid.x[0] == -4000.0 and grid.y[0] == -1000.0 and grid.x[1] == -2000.0 and grid.y[5] == 0.0
    assert grid.latitude[7] == pytest.approx(45.0) and grid.longitude[7] == pytest.approx(10.0)
    # 1 degree of latitude is 111.2 km
    assert grid.latitude[12] - grid.latitude[7] == pytest.approx(1.0 / 111.195, rel=1e-4)
    assert (grid.area == 2e6).all()


def test_grid_around_the_pole_is_refused():
    with pytest.raises(InputError, match="reaches over a pole"):
        regular_grid(89.9, 0.0, 10, 10, 10e3, 10e3)


def test_generated_elevation_has_base_and_relief_and_is_smooth():
    grid = build_domain(
        section(type="grid", nx=20, ny=20, elevation={"generate": {"base": 300, "relief": 200, "seed": 3}})
    )
    assert grid.elevation.min() == pytest.approx(300.0) and grid.elevation.max() == pytest.approx(500.0)
    field = grid.to_grid(grid.elevation)
    assert np.abs(np.diff(field, axis=0)).max() < 60.0
    again = build_domain(
        section(type="grid", nx=20, ny=20, elevation={"generate": {"base": 300, "relief": 200, "seed": 3}})
    )
    assert np.array_equal(grid.elevation, again.elevation)
    flat = build_domain(section(type="grid", elevation={"generate": {}}))
    assert flat.elevation[0] == 300.0


def test_tiles_cover_the_domain_and_keep_their_cells():
    grid = build_domain(section(type="grid", nx=4, ny=3, elevation={"generate": {}}))
    total = np.full((3, 4), np.nan)
    for rank in range(5):
        ranks = Communicator()
        ranks.rank, ranks.size = rank, 5
        tile = grid.subset(ranks.tile(grid.ncell))
        part = tile.to_grid(tile.elevation)
        total = np.where(np.isnan(part), total, part)
    assert np.array_equal(total, grid.to_grid(grid.elevation))


def test_to_grid_keeps_leading_axes_and_whole_numbers():
    grid = regular_grid(45.0, 10.0, 3, 2, 1e3, 1e3)
    assert grid.to_grid(np.arange(12.0).reshape(2, 6)).shape == (2, 2, 3)
    assert grid.to_grid(np.arange(6), fill=-1).dtype.kind == "i"
    with pytest.raises(InputError, match="must have 6 cells"):
        grid.to_grid(np.zeros(5))


@pytest.fixture
def domain_file(tmp_path):
    path = tmp_path / "domain.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("y", 3)
        file.createDimension("x", 4)
        file.createDimension("layer", 2)
        file.createVariable("lat", "f8", ("y",))[:] = [44.9, 45.0, 45.1]
        file.createVariable("lon", "f8", ("x",))[:] = [359.9, 0.0, 0.1, 0.2]
        file.createVariable("elevation", "f8", ("y", "x"))[:] = np.arange(12.0).reshape(3, 4)
        mask = np.ones((3, 4))
        mask[0, 0] = 0
        file.createVariable("mask", "i4", ("y", "x"))[:] = mask
        sand = file.createVariable("sand", "f8", ("layer", "y", "x"))
        sand.units = "1"
        sand[:] = 0.4
        file.createVariable("soil_colour", "i4", ("y", "x"))[:] = 7
    return path


def test_domain_file(domain_file):
    domain = build_domain(section(type="file", file=str(domain_file)))
    assert domain.ncell == 11 and domain.cell_id[0] == 1 and not domain.mask[0, 0]
    assert domain.elevation[0] == 1.0 and domain.fields["sand"].shape == (2, 11)
    assert np.allclose(domain.fields["sand"], 40.0)
    assert np.allclose(domain.area, 7.86e3 * 11.12e3, rtol=0.01)
    assert np.ptp(domain.x) == pytest.approx(3 * 7.87e3, rel=0.01) and domain.longitude.max() == pytest.approx(0.2)


def test_domain_file_errors(tmp_path, domain_file):
    with pytest.raises(InputError, match="there is no such file"):
        build_domain(section(type="file", file=str(tmp_path / "no.nc")))
    content = domain_file.read_bytes()
    (tmp_path / "cut.nc").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="truncated"):
        build_domain(section(type="file", file=str(tmp_path / "cut.nc")))
    with netCDF4.Dataset(domain_file, "a") as file:
        file["elevation"][1, 1] = np.nan
    with pytest.raises(InputError, match="elevation is missing in a modelled cell"):
        build_domain(section(type="file", file=str(domain_file)))


def test_axes_on_a_plane_go_before_the_projection(domain_file):
    with netCDF4.Dataset(domain_file, "a") as file:
        for name, values in (("x", [-3.0, -1.0, 1.0, 3.0]), ("y", [10.0, 12.0, 14.0])):
            axis = file.createVariable(name, "f8", (name,))
            axis[:] = values
            axis.units, axis.standard_name = "km", f"projection_{name}_coordinate"
    domain = build_domain(section(type="file", file=str(domain_file)))
    row, column = np.divmod(domain.cell_id, domain.nx)
    assert np.array_equal(domain.x, 1000.0 * np.array([-3.0, -1.0, 1.0, 3.0])[column])
    assert np.array_equal(domain.y, 1000.0 * np.array([10.0, 12.0, 14.0])[row])
    with netCDF4.Dataset(domain_file, "a") as file:
        file["y"].standard_name = "latitude"
    with pytest.raises(InputError, match="projection_x_coordinate without projection_y_coordinate"):
        build_domain(section(type="file", file=str(domain_file)))


def test_mask_of_a_grid(tmp_path, domain_file):
    grid = build_domain(section(type="grid", nx=4, ny=3, mask=str(domain_file)))
    assert grid.ncell == 11
    with pytest.raises(InputError, match=r"mask must have the shape \(5, 4\)"):
        build_domain(section(type="grid", nx=4, ny=5, mask=str(domain_file)))


def test_site_function():
    assert site(1.0, 2.0, 3.0).elevation[0] == 3.0
