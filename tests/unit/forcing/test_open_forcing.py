"""One door to all sources of weather."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing import AlmaForcing, ElevationCorrected, WeatherGenerator, open_forcing

PLACE = {"latitude": [50.0, 50.1], "longitude": 7.0, "elevation": [100.0, 900.0]}
PERIOD = {"start": np.datetime64("2020-06-01"), "end": np.datetime64("2020-06-02")}


def test_unknown_format():
    with pytest.raises(InputError, match="'grib' is not known; expected one of alma, generator, nldas-pfb, era5"):
        open_forcing("grib")


def test_alma(write, dataset):
    path = write(dataset)
    assert isinstance(open_forcing("alma", path=path, **PERIOD), AlmaForcing)
    forcing = open_forcing("alma", path=path, lapse_rate=0.006, reference_height=12.0, variables={}, **PLACE)
    assert isinstance(forcing, ElevationCorrected)
    weather = forcing.weather(PERIOD["start"], 1800.0)
    assert np.diff(weather["air_temperature"]) == pytest.approx(-4.8)
    assert forcing.reference_height.tolist() == [12.0, 12.0]
    assert forcing.describe()["elevation_change"] == [-100.0, 700.0]
    assert list(forcing.checksums()) == [str(path)]


def test_alma_errors(write, dataset):
    path = write(dataset)
    with pytest.raises(InputError, match=r"forcing\.path is needed"):
        open_forcing("alma")
    with pytest.raises(InputError, match=r"domain\.elevation"):
        open_forcing("alma", path=path, lapse_rate=0.006)
    with pytest.raises(InputError, match="is needed; change"):
        open_forcing("alma", path=path, start=PERIOD["start"], end=np.datetime64("2020-07-01"))
    with pytest.raises(InputError, match=r"forcing\.generator has no meaning"):
        open_forcing("alma", path=path, generator={"seed": 1})
    dataset.attrs.pop("elev_m")
    with pytest.raises(InputError, match="elev_m"):
        open_forcing("alma", path=write(dataset, "flat.nc"), lapse_rate=0.006, elevation=1.0)


def test_generator():
    forcing = open_forcing("generator", generator={"climate": "cold", "seed": 4}, lapse_rate=0.01, **PLACE, **PERIOD)
    assert isinstance(forcing, WeatherGenerator) and forcing.ncell == 2
    weather = forcing.weather(PERIOD["start"], 1800.0)
    assert np.diff(weather["air_temperature"]) == pytest.approx(-8.06, abs=0.05)  # 800 m and 0.1 degrees of latitude
    assert forcing.reference_height.tolist() == [10.0, 10.0]


def test_generator_errors():
    with pytest.raises(InputError, match="needs start, end"):
        open_forcing("generator", **PLACE)
    with pytest.raises(InputError, match="seeds not known"):
        open_forcing("generator", generator={"seeds": 1}, **PLACE, **PERIOD)
    with pytest.raises(InputError, match=r"forcing\.path has no meaning"):
        open_forcing("generator", path="x.nc", **PLACE, **PERIOD)
