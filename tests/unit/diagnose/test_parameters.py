"""Errors of estimated parameters against those of the truth."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.parameters import correlation_in_space, parameter_errors, parameter_twin

NAME = "saturated_conductivity"
TIME = np.datetime64("2020-04-02", "ns") + np.arange(2) * np.timedelta64(1, "D")
FIELD = np.array([[-6.0, -5.0, -5.5], [-4.5, -4.0, -5.2]])
AXES = ("time", "layer", "y", "x")


def write(path, values, spread=None, name=NAME):
    """Write a history of two records and two equal layers; values and spread (time, y, x)."""
    def layers(field):
        return AXES, np.repeat(np.broadcast_to(field, (2, 2, 3))[:, None], 2, axis=1)

    data = {name: (*layers(values), {"units": "m s-1"})}
    if spread is not None:
        data[f"{name}_std"] = layers(spread)
    xr.Dataset(data, {"time": TIME}).to_netcdf(path)
    return path


def lognormal(logs, sigma):
    """Return mean and standard deviation of 10**x for a normal x, by its closed form."""
    s = sigma * np.log(10.0)
    mean = 10.0**logs * np.exp(s**2 / 2.0)
    return mean, mean * np.sqrt(np.expm1(s**2))


def test_the_logarithm_of_what_spreads_over_decades(tmp_path):
    truth = write(tmp_path / "truth.nc", 10.0**FIELD)
    start = write(tmp_path / "open_loop.nc", *lognormal(np.full((2, 2, 3), -5.0), 0.5))
    logs = np.stack([np.full((2, 3), -5.0), FIELD + 0.1])
    end = write(tmp_path / "history.nc", *lognormal(logs, 0.2))
    row = parameter_errors(truth, end, [NAME], start)[NAME]
    assert (row["scale"], row["units"]) == ("log10", "decades")
    assert row["rmse_start"] == pytest.approx(np.sqrt(np.mean((FIELD + 5.0) ** 2)), rel=1e-10)
    assert row["rmse_end"] == pytest.approx(0.1, rel=1e-10)
    assert row["reduction"] == pytest.approx(1.0 - 0.1 / row["rmse_start"])
    assert np.isnan(row["correlation_start"]) and row["correlation_end"] == pytest.approx(1.0)
    assert row["spread_error_ratio_start"] == pytest.approx(0.5 / row["rmse_start"])
    assert row["spread_error_ratio_end"] == pytest.approx(2.0)


def test_what_hardly_varies_is_judged_as_it_is(tmp_path):
    true = 0.45 + 0.01 * FIELD
    truth, end = write(tmp_path / "truth.nc", true), write(tmp_path / "history.nc", true + 0.02, 0.03)
    row = parameter_errors(truth, end, [NAME])[NAME]
    assert (row["scale"], row["units"]) == ("linear", "m s-1")
    assert row["rmse_start"] == row["rmse_end"] == pytest.approx(0.02)
    assert row["spread_error_ratio_end"] == pytest.approx(1.5) and row["reduction"] == pytest.approx(0.0)


def test_a_wide_parameter_that_may_be_negative_has_no_logarithm(tmp_path):
    truth = write(tmp_path / "truth.nc", FIELD + 5.0)
    twin = parameter_twin(truth, write(tmp_path / "history.nc", FIELD + 5.1, 3.0), NAME)
    assert not twin.is_log and twin.error == pytest.approx([0.1, 0.1]) and twin.mean_spread == pytest.approx([3.0, 3.0])
    assert twin.mean.shape == (2, 2, 2, 3) and twin.dims == ("y", "x")


def test_files_without_the_parameter(tmp_path):
    truth, end = write(tmp_path / "truth.nc", FIELD), write(tmp_path / "history.nc", FIELD)
    assert "add saturated_conductivity to output.variables" in parameter_errors(truth, end, [NAME])[NAME]["not_judged"]
    with pytest.raises(InputError, match="no such file"):
        parameter_errors(tmp_path / "none.nc", end, [NAME])


def test_cells_that_are_not_active_do_not_count(tmp_path):
    true, estimate = 10.0**FIELD, 10.0 ** (FIELD + 0.3)
    true[0, 0] = estimate[0, 0] = np.nan
    truth, end = write(tmp_path / "truth.nc", true), write(tmp_path / "history.nc", estimate, 0.0 * estimate)
    row = parameter_errors(truth, end, [NAME])[NAME]
    assert row["rmse_end"] == pytest.approx(0.3) and row["correlation_end"] == pytest.approx(1.0)


def test_correlation_in_space():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 1, 4, 5))
    assert correlation_in_space(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    layers = np.concatenate([one, one + 7.0]), np.concatenate([other, other - 3.0])  # means of layers say nothing
    assert correlation_in_space(*layers) == pytest.approx(correlation_in_space(one, other))
    assert np.isnan(correlation_in_space(one[:, :1, :2], other[:, :1, :2]))
    assert np.isnan(correlation_in_space(one, np.full_like(one, 0.1)))
