import csv
import os
from pathlib import Path

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.neutrons import (
    Cores,
    cosmic,
    cosmic_of_cores,
    field_mean,
    fit_scale,
    horizontal_weight,
    n0_counts,
    n0_response,
    scaled_distance,
    sensing_depth,
)

SHARED = Path(os.environ.get("PYLAND_SHARED", Path(__file__).parents[5] / "shared"))
KANSAS = SHARED / "data" / "observations" / "crns" / "calibration_soil_data.csv"


def uniform_cores(moisture, other_water=0.02):
    distance = np.repeat([5.0, 60.0, 150.0], 4)
    top = np.tile([0.0, 0.05, 0.10, 0.25], 3)
    return Cores(np.repeat([1, 2, 3], 4), distance, top, np.tile([0.05, 0.10, 0.25, 0.40], 3), np.full(12, moisture),
                 np.full(12, 1400.0), other_water)


def kansas_cores():
    if not KANSAS.is_file():
        pytest.skip("needs the development data, see docs/guide/data.md")
    with KANSAS.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    column = lambda name: np.array([float(row[name]) for row in rows])  # noqa: E731
    return Cores(column("core_number").astype(int), column("distance_from_station"), 0.01 * column("top_depth"),
                 0.01 * column("bottom_depth"), column("theta_v"), 1000 * column("bulk_density"))


def test_a_uniform_field_has_its_own_mean():
    mean = field_mean(uniform_cores(0.23), pressure=96000.0, humidity=0.008)
    assert mean.moisture == pytest.approx(0.23, abs=1e-14)
    assert mean.gravimetric == pytest.approx(0.23 / 1.4, abs=1e-14)
    assert mean.other_water == pytest.approx(0.02 / 1.4)
    assert mean.error == pytest.approx(0.0, abs=1e-12)
    assert mean.sample_weight.sum() == pytest.approx(1.0) and mean.core_weight.sum() == pytest.approx(1.0)


def test_the_mean_is_a_fixed_point_of_its_weights():
    rng = np.random.default_rng(2)
    cores = Cores(np.repeat(np.arange(6), 3), np.repeat([1.0, 10, 40, 60, 120, 250], 3), np.tile([0, 0.1, 0.2], 6),
                  np.tile([0.1, 0.2, 0.4], 6), rng.uniform(0.1, 0.4, 18), rng.uniform(1000, 1600, 18))
    mean = field_mean(cores, pressure=96000.0, humidity=0.008, vegetation_height=0.5)
    total, numerator = 0.0, 0.0  # once more, one core after the other
    density = cores.bulk_density.mean()
    for core in range(6):
        rows = cores.profile == core
        r = scaled_distance(cores.distance[rows][0], 96000.0, 0.5, mean.moisture)
        d86 = sensing_depth(r, density, mean.moisture)
        fine = [np.linspace(one, other, 2001) for one, other in zip(cores.top[rows], cores.bottom[rows], strict=True)]
        down = [np.trapezoid(np.exp(-2 * z / d86), z) for z in fine]
        across = horizontal_weight(r, mean.moisture, 0.008)
        total, numerator = total + across, numerator + across * np.average(cores.moisture[rows], weights=down)
    assert mean.moisture == pytest.approx(numerator / total, abs=1e-6)
    assert mean.moisture == pytest.approx(np.sum(mean.sample_weight * cores.moisture), abs=1e-12)


def test_a_sample_that_is_divided_in_two_changes_nothing():
    place = {"pressure": 96000.0, "humidity": 0.008}
    whole = field_mean(Cores([1, 1], [20.0, 20.0], [0, 0.05], [0.05, 0.45], [0.4, 0.1], [1400.0, 1400.0]), **place)
    parts = field_mean(Cores([1] * 5, [20.0] * 5, [0, 0.05, 0.15, 0.25, 0.35], [0.05, 0.15, 0.25, 0.35, 0.45],
                             [0.4, 0.1, 0.1, 0.1, 0.1], [1400.0] * 5), **place)
    assert parts.moisture == pytest.approx(whole.moisture, abs=2e-6)  # twice the tolerance of the iteration
    with pytest.raises(InputError, match="integral, middle"):
        field_mean(uniform_cores(0.2), **place, samples="thick")
    assert whole.sample_weight[1] == pytest.approx(parts.sample_weight[1:].sum(), abs=1e-4)


def test_field_of_kansas_is_that_of_crnpy():
    cores = kansas_cores()
    mean = field_mean(cores, pressure=96500.0, humidity=0.005, samples="middle")
    assert mean.moisture == pytest.approx(0.2736708255495351, abs=1e-6)  # crnpy 0.8 iterated to 1e-9
    other = field_mean(cores, pressure=96000.0, humidity=0.008, samples="middle")
    assert other.moisture == pytest.approx(0.2737156207299712, abs=1e-6)
    # 5 and 15 cm are not alike: crnpy gives this for samples that are divided into millimetres
    assert field_mean(cores, pressure=96500.0, humidity=0.005).moisture == pytest.approx(0.29677775, abs=2e-6)
    assert 0.003 < mean.error < 0.03
    old = field_mean(cores, pressure=96500.0, humidity=0.005, relation="koehli2015", samples="middle")
    assert 0.25 < old.moisture < 0.30  # range that crnpy states for the site


def test_cores_of_different_length_become_columns():
    cores = Cores([1, 1, 2], [10, 10, 20.0], [0, 0.1, 0], [0.1, 0.3, 0.2], [0.1, 0.2, 0.3], [1000, 1100, 1200.0])
    assert cores.layers(cores.moisture).tolist() == [[0.1, 0.3], [0.2, 0.3]]
    response, _, neutrons = cosmic_of_cores(cores, np.array([0.25, 0.75]))
    short = cosmic([0.3], [0.2], [1200.0], n=1.0).counts
    assert neutrons.counts[1] == pytest.approx(float(short), rel=1e-12)
    assert response == pytest.approx(0.25 * neutrons.counts[0] + 0.75 * short, rel=1e-12)


def test_scale_of_a_known_probe_is_found():
    rng = np.random.default_rng(8)
    response = np.array([0.5, 0.55, 0.62, 0.48])
    found = np.array([
        (one.value, one.sigma) for one in (
            fit_scale(2600.0 * response + sigma * rng.standard_normal(4), response, sigma)
            for sigma in [np.array([10.0, 20.0, 10.0, 40.0])] * 400)
    ])
    assert found[:, 0].mean() == pytest.approx(2600.0, abs=4 * found[:, 0].std() / 20)
    formal = (np.sum((response / [10.0, 20.0, 10.0, 40.0]) ** 2)) ** -0.5
    assert found[:, 0].std() == pytest.approx(formal, rel=0.12)
    assert found[:, 1].min() >= formal * 0.97


def test_days_that_disagree_widen_the_error():
    close = fit_scale([1300.0, 1302.0], [0.5, 0.5], 5.0)
    apart = fit_scale([1300.0, 1400.0], [0.5, 0.5], 5.0)
    assert close.ratio < 1 < apart.ratio == pytest.approx(100.0 / 5.0 / np.sqrt(2))
    assert apart.sigma == pytest.approx(apart.ratio * close.sigma, rel=1e-6)
    assert np.isnan(fit_scale(1300.0, 0.5, 5.0).ratio)


def test_uncertainty_of_the_cores_reaches_the_constant():
    mean = field_mean(kansas_cores(), pressure=96500.0, humidity=0.005)
    response, error = n0_response(mean)
    assert response == pytest.approx(float(n0_counts(mean.gravimetric, 1.0)))
    ends = n0_counts(mean.gravimetric + mean.gravimetric_error * np.array([-1, 1]), 1.0)
    assert error == pytest.approx((ends[0] - ends[1]) / 2, rel=0.01)
    scale = fit_scale(1500.0, response, 1.0, error)
    assert scale.sigma == pytest.approx(scale.value * np.hypot(1 / 1500, error / response))


@pytest.mark.parametrize(("change", "words"), [
    ({"moisture": [25.0, 0.2]}, "moisture of a sample of core 1 is 25.0"),
    ({"bulk_density": [1.4, 1.4]}, "bulk_density of a sample of core 1"),
    ({"top": [0.0, 0.15]}, "without gaps"),
    ({"top": [5.0, 10.0]}, "expected 0 to 3 m"),
    ({"distance": [5.0, 6.0]}, "same distance"),
    ({"moisture": [0.2, np.nan]}, "Leave the sample out"),
    ({"moisture": [0.2]}, "must have shape"),
])
def test_wrong_cores_are_told(change, words):
    right = {"profile": [1, 1], "distance": [5.0, 5.0], "top": [0.0, 0.1], "bottom": [0.1, 0.2],
             "moisture": [0.2, 0.2], "bulk_density": [1400.0, 1400.0]}
    with pytest.raises(InputError, match=words):
        Cores(**{**right, **change})
