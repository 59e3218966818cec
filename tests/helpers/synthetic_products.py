"""A truth of soil moisture and three products whose errors follow vegetation, season and soil.

The truth is a bucket with rain and evaporation that nobody sees as they are: the rain of the predictors has an error of
each day, and drainage and porosity vary between places beyond what the texture says. So neither a constant weight nor
the weather alone gives the truth.
"""

from dataclasses import dataclass

import numpy as np

from pyland.observe.merging.merged import MergeContext

NAMES = ("smap", "amsr2", "ascat")


@dataclass
class SyntheticProducts:
    """Truth (time, place), products (product, time, place), and the true standard deviations of their errors."""

    truth: np.ndarray
    products: np.ndarray
    error_std: np.ndarray
    context: MergeContext


def make_products(places=40, years=3, seed=0, stations=20, biased=True):
    """Return a region of ``places``, of which the first ``stations`` have a station with an error of 0.01."""
    rng = np.random.default_rng(seed)
    steps = 365 * years
    latitude, longitude = 50.0 + 2.0 * rng.random(places), 6.0 + 3.0 * rng.random(places)
    day = np.arange(steps)
    season = 0.5 - 0.5 * np.cos(2 * np.pi * (day - 20) / 365.2425)  # 0 in winter, 1 in July
    distance = np.hypot((latitude[:, None] - latitude) * 111.0, (longitude[:, None] - longitude) * 70.0)
    factor = np.linalg.cholesky(np.exp(-3 * distance / 300.0) + 1e-9 * np.eye(places))

    def field():
        return rng.standard_normal((steps, places)) @ factor.T

    sand, clay = rng.uniform(10, 80, places), rng.uniform(5, 20, places)
    silt = 100.0 - sand - clay
    density = 1200.0 + 4.0 * sand + 50.0 * rng.standard_normal(places)
    height = rng.uniform(20, 600, places)
    cover = rng.uniform(0.2, 1.0, places)
    leaf = np.maximum(0.3 + 4.5 * cover * season[:, None] ** 2 + 0.2 * field(), 0.1)

    wet = (field() + 0.4 * np.roll(field(), 1, axis=0)) > 0.75
    rain = np.where(wet, np.exp(1.2 + 0.9 * field()), 0.0)  # mm d-1
    temperature = 276.0 + 16.0 * season[:, None] + 3.0 * field() - 0.0065 * height
    shortwave = np.maximum(40 + 190 * season[:, None] + 30 * field() - 40 * wet, 5.0)
    humidity = 0.004 * np.exp(0.06 * (temperature - 276.0)) * np.exp(0.1 * field())
    wind, pressure = 3.0 + np.abs(field()), 101325.0 * np.exp(-height / 8400.0) + 500.0 * field()
    longwave = 220.0 + 4.0 * (temperature - 266.0) + 20.0 * wet

    porosity = 0.38 + 0.0012 * clay + 0.03 * rng.standard_normal(places)
    wilting = 0.03 + 0.004 * clay
    drainage = 0.08 * np.exp(0.015 * (sand - 40)) * np.exp(0.4 * rng.standard_normal(places))
    truth, now = np.empty((steps, places)), 0.7 * porosity
    for step in range(steps):
        relative = (now - wilting) / (porosity - wilting)
        evaporation = 0.018 * shortwave[step] * (0.4 + 0.6 * np.minimum(leaf[step] / 3, 1)) * np.clip(relative, 0, 1)
        now = now + 0.001 * (rain[step] - evaporation) / 0.15 - drainage * np.clip(relative, 0, 1) ** 4 * 0.1
        now = truth[step] = np.clip(now, wilting, porosity)

    error_std = np.stack((0.015 + 0.012 * leaf, 0.020 + 0.025 * leaf,
                          0.030 + 0.05 * np.clip((sand - 30) / 50, 0, 1) * (1 - season[:, None]) + 0 * leaf))
    bias = np.stack((0.01 - 0.008 * leaf, 0.05 - 0.02 * leaf, 0.04 * (sand / 45 - 1) + 0.02 * (season[:, None] - 0.5)))
    if not biased:
        bias = 0.0 * bias
    products = truth + bias + error_std * rng.standard_normal(error_std.shape)
    seen = rng.random(products.shape) < np.array([0.45, 0.6, 0.6])[:, None, None]
    products[~seen | (temperature < 273.15)] = np.nan

    target = np.full(truth.shape, np.nan)
    target[:, :stations] = truth[:, :stations] + 0.01 * rng.standard_normal((steps, stations))
    target[rng.random(target.shape) < 0.1] = np.nan
    given_rain = rain * np.exp(0.6 * rng.standard_normal(rain.shape) - 0.18)
    context = MergeContext(
        NAMES, np.datetime64("2016-01-01T12:00:00") + day * np.timedelta64(1, "D"), latitude, longitude,
        {"precipitation": given_rain, "air_temperature": temperature, "specific_humidity": humidity, "wind_speed": wind,
         "shortwave": shortwave, "longwave": longwave, "pressure": pressure, "leaf_area": leaf, "sand": sand,
         "silt": silt, "clay": clay, "bulk_density": density, "elevation": height}, target)
    return SyntheticProducts(truth, products, error_std, context)


def skill(estimate, truth, counted):
    """Return bias, ubRMSE and R, means over places of those over the counted times."""
    numbers = []
    for place in np.flatnonzero(counted.any(axis=0)):
        one, other = estimate[counted[:, place], place], truth[counted[:, place], place]
        away = one - other
        numbers.append((away.mean(), away.std(), np.corrcoef(one, other)[0, 1]))
    numbers = np.array(numbers)
    return np.abs(numbers[:, 0]).mean(), numbers[:, 1].mean(), numbers[:, 2].mean()
