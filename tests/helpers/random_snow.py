"""Snow packs that several tests build."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import strategies as st

from pyland.land import SnowPack

CI, CW, LF, TF = 2117.27, 4188.0, 3.337e5, 273.15


def build(ice, thickness, *, liquid=0.0, temperature=TF, grain=100.0, cover=1.0, nlayer=None, **surface):
    """Return a pack of one column from values of its layers, from the surface down."""
    ice = np.atleast_1d(np.asarray(ice, dtype=float))
    nlayer = nlayer or ice.size

    def column(values, absent):
        values = np.broadcast_to(values, ice.shape)
        return np.concatenate([np.full(nlayer - ice.size, absent), values])[:, None]

    return SnowPack(column(ice, 0.0), column(liquid, 0.0), column(thickness, 0.0), column(temperature, TF),
                    column(grain, 54.5), surface.get("age", 0.0), cover, surface.get("mass_maximum", 0.0))


def random_packs(seed, nlayer, ncolumn, *, wet=0.5):
    """Return packs of all kinds: none, traces, single flakes, thin, deep, cold, wet, water without ice."""
    rng = np.random.default_rng(seed)
    shape = (nlayer, ncolumn)
    count = rng.integers(0, nlayer + 1, ncolumn)
    present = np.arange(nlayer)[:, None] >= nlayer - count
    cover = np.where(rng.random(ncolumn) < 0.3, 1.0, 10 ** rng.uniform(-4, 0, ncolumn))
    density = np.where(rng.random(shape) < 0.05, 917.0, rng.uniform(50.0, 900.0, shape))
    thickness = 10 ** rng.uniform(np.where(rng.random(ncolumn) < 0.2, -9.0, -3.0), 0.9, shape)
    pores = cover * thickness * (1000.0 - density / 0.917)
    is_wet = rng.random(shape) < wet
    liquid = np.where(is_wet, np.maximum(pores, 0.0) * rng.random(shape) * (rng.random(shape) < 0.9), 0.0)
    ice = cover * thickness * density
    melted = is_wet & (rng.random(shape) < 0.1)
    liquid, ice = np.where(melted, liquid + ice, liquid), np.where(melted, 0.0, ice)
    temperature = np.where(liquid > 0.0, TF, rng.uniform(203.0, TF, shape))
    held = present & (ice + liquid > 0.0)
    # a layer without mass below others would be one more layer that processes must not trip over: allow it
    has = held.any(axis=0)
    return SnowPack(
        np.where(present, ice, 0.0), np.where(present, liquid, 0.0), np.where(present, thickness, 0.0),
        np.where(present, temperature, TF), np.where(present, rng.uniform(54.5, 1500.0, shape), 54.5),
        np.where(has, rng.random(ncolumn), 0.0), np.where(has, cover, 0.0),
        np.where(has, 10 ** rng.uniform(-6, 3, ncolumn), 0.0))


@st.composite
def packs(draw, wet=True):
    """Draw one pack in which every value may be extreme."""
    nlayer = draw(st.integers(1, 12))
    count = draw(st.integers(1, nlayer))
    cover = draw(st.one_of(st.just(1.0), st.floats(1e-4, 1.0)))
    density = np.array(draw(st.lists(st.floats(50.0, 917.0), min_size=count, max_size=count)))
    flake = draw(st.booleans())
    size = st.floats(1e-9, 1e-7) if flake else st.one_of(st.floats(1e-6, 0.05), st.floats(1e-3, 8.0))
    thickness = np.array(draw(st.lists(size, min_size=count, max_size=count)))
    ice = density * thickness * cover
    filled = np.array(draw(st.lists(st.one_of(st.just(0.0), st.floats(0.0, 1.0)), min_size=count, max_size=count)))
    liquid = filled * cover * thickness * np.maximum(1000.0 - density / 0.917, 0.0) * wet
    if wet and draw(st.booleans()):
        k = draw(st.integers(0, count - 1))
        liquid[k] += ice[k]
        ice[k] = 0.0
    cold = np.array(draw(st.lists(st.floats(203.0, TF), min_size=count, max_size=count)))
    return build(ice, thickness, liquid=liquid, temperature=np.where(liquid > 0.0, TF, cold),
                 grain=draw(st.floats(54.5, 1500.0)), cover=cover, nlayer=nlayer)


def take(pack, columns):
    """Return some columns of a pack."""
    return SnowPack(*(getattr(pack, field.name)[..., columns] for field in fields(pack)))


def assert_same(a, b):
    """Compare two packs bit for bit."""
    for field in fields(a):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name), err_msg=field.name)


def assert_sound(pack):
    """Check what holds for every pack: layers touch each other and the ground, the rest is clean, nothing is NaN."""
    index = np.arange(pack.ice.shape[0])[:, None]
    present = index >= pack.ice.shape[0] - pack.layer_count
    for name, clean in (("ice", 0.0), ("liquid", 0.0), ("thickness", 0.0), ("temperature", TF), ("grain_radius", 54.5)):
        values = getattr(pack, name)
        assert (values[~present] == clean).all(), name
        assert np.isfinite(values).all(), name
    assert (pack.temperature[present] <= TF).all()
    none = pack.layer_count == 0
    assert (pack.cover[none] == 0.0).all() and (pack.cover[~none] >= 1e-4).all() and (pack.cover <= 1.0).all()
