"""Snow packs for tests."""

import numpy as np

from pyland.land import SnowPack


def make_pack(ice, *, liquid=0.0, thickness=0.0, temperature=273.15, grain_radius=54.5, age=0.0, cover=1.0, columns=1):
    """Return a pack; layered arguments are scalars (one layer), one value per layer, or (layer, column)."""
    layered = [np.asarray(values, dtype=float) for values in (ice, liquid, thickness, temperature, grain_radius)]
    layered = [values[:, None] if values.ndim == 1 else values for values in layered]
    layered = np.broadcast_arrays(np.zeros((1, columns)), *layered)[1:]
    flat = np.zeros(layered[0].shape[1])
    return SnowPack(*layered, flat + age, flat + cover, flat)


def random_packs(rng, n, layers=5):
    """Return packs of 0 to `layers` layers, thin and deep, dry and wet, of any cover; and which layers there are."""
    count = rng.integers(0, layers + 1, n)
    present = np.arange(layers)[:, None] >= layers - count
    cover = 10 ** rng.uniform(-3, 0, n)
    thickness = 10 ** rng.uniform(-6, 0.7, (layers, n)) * present
    ice = rng.uniform(10, 900, (layers, n)) * thickness * cover
    liquid = ice * np.where(rng.random((layers, n)) < 0.5, 0.0, rng.uniform(0, 2, (layers, n)))
    temperature = np.where(present, rng.uniform(200, 273.15, (layers, n)), 273.15)
    radius = rng.uniform(54.5, 1500, (layers, n))
    age = 10 ** rng.uniform(-3, 4, n)
    return SnowPack(ice, liquid, thickness, temperature, radius, age, cover, np.zeros(n)), present


def one_column(pack, i):
    """Return the pack of column `i`."""
    return SnowPack(*(values[..., i:i + 1] for values in vars(pack).values()))
