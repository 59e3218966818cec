"""The accessor of datasets: names, means over depth and area, anomalies, places."""

import numpy as np
import pytest
import xarray as xr

import pyland.output.accessor  # noqa: F401
from pyland.base.errors import InputError


@pytest.fixture
def data():
    time = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]").astype("datetime64[ns]")
    rng = np.random.default_rng(3)
    water = rng.random((time.size, 3, 2, 2))
    bounds = np.array([[0.0, 0.1], [0.1, 0.4], [0.4, 1.0]])
    return xr.Dataset(
        {"soil_water": (("time", "layer", "y", "x"), water, {"clm_name": "H2OSOI", "long_name": "soil water"}),
         "soil_water_std": (("time", "layer", "y", "x"), 0.1 * water, {"clm_name": "H2OSOI"}),
         "latent_heat_flux": (("time", "y", "x"), water[:, 0], {"alma_name": "Qle"}),
         "layer_bounds": (("layer", "bound"), bounds),
         "time_bounds": (("time", "bound"), np.stack([time - np.timedelta64(1, "D"), time], axis=1))},
        coords={"time": time, "latitude": (("y", "x"), [[50.0, 50.0], [50.1, np.nan]]),
                "longitude": (("y", "x"), [[6.0, 6.1], [6.0, np.nan]]),
                "cell_area": (("y", "x"), [[1.0, 2.0], [1.0, np.nan]])})


def test_names_and_statistics(data):
    assert data.pyland["H2OSOI"].name == "soil_water" and "Qle" in data.pyland and "nonsense" not in data.pyland
    assert data.pyland.statistic("H2OSOI", "std").name == "soil_water_std"
    with pytest.raises(InputError, match="of soil_water it has mean, std"):
        data.pyland.statistic("soil_water", "p05")


def test_depth_mean_conserves_water(data):
    mean = data.pyland.depth_mean("soil_water", 0.05, 0.6)
    weights = np.array([0.05, 0.3, 0.2]) / 0.55
    np.testing.assert_allclose(mean.values, np.einsum("l,tlyx->tyx", weights, data["soil_water"].values))
    with pytest.raises(InputError, match="ends at 1 m"):
        data.pyland.depth_mean("soil_water", 0.0, 2.0)
    with pytest.raises(InputError, match="no layers"):
        data.pyland.depth_mean("Qle", 0.0, 0.1)


def test_area_mean_by_areas(data):
    values = data["latent_heat_flux"].values
    np.testing.assert_allclose(data.pyland.area_mean("Qle").values,
                               (values[:, 0, 0] + 2.0 * values[:, 0, 1] + values[:, 1, 0]) / 4.0)
    south = data["latitude"] < 50.05
    np.testing.assert_allclose(data.pyland.area_mean("Qle", south).values,
                               (values[:, 0, 0] + 2.0 * values[:, 0, 1]) / 3.0)
    wide = data.drop_vars("cell_area").assign_coords(latitude=(("y", "x"), [[50.0, 50.0], [55.0, np.nan]]))
    with pytest.raises(InputError, match="no cell_area"):
        wide.pyland.area_mean("Qle")


def test_anomaly_has_no_mean_in_any_month(data):
    anomaly = data.pyland.anomaly("Qle")
    middle = data["time"] - np.timedelta64(12, "h")
    np.testing.assert_allclose(anomaly.groupby(middle.dt.month.rename("month")).mean().values, 0.0, atol=1e-12)
    assert anomaly.attrs["long_name"].startswith("anomaly of")


def test_place(data):
    assert float(data.pyland.at(50.02, 6.09)["longitude"]) == 6.1
    with pytest.raises(InputError, match="outside the cells"):
        data.pyland.at(10.0, 10.0)
