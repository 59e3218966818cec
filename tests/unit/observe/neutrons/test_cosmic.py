import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import iti0k0

from pyland.base.errors import InputError
from pyland.observe.neutrons import cosmic, site_parameters

SANTA_RITA = {"n": 348.33, "alpha": 0.2392421548, "soil_length": 1078.2204562, "lattice_water": 0.0753}
DENSITY = 1402.0
CLM = np.diff([0, 0.0175, 0.0451, 0.0906, 0.1655, 0.2891, 0.4929, 0.8289, 1.3828, 2.2961, 3.0])


def bickley(x):
    """(2/pi) int_0^(pi/2) exp(-x/cos) = (2/pi) int_x^infinity K_0, from the tables of scipy."""
    return 2 / np.pi * (np.pi / 2 - iti0k0(x)[1])


def rectangles(x):
    """The sum of the original code: half degrees from 0 to 89.5."""
    return np.exp(-x[:, None] / np.cos(np.deg2rad(0.5 * np.arange(180)))).mean(axis=1)


def reference(moisture, thickness, angle, density=DENSITY, n=348.33, lattice=0.0753):
    """COSMIC as published: sums over thin layers with masses to their centres; everything in g and cm."""
    alpha, l3 = 0.2392421548, 107.82204562
    dz, rho, water = 100 * thickness, 1e-3 * density, moisture + lattice
    soil_mass = np.cumsum(rho * dz) - rho * dz / 2
    water_mass = np.cumsum(water * dz) - water * dz / 2
    high = np.exp(-(soil_mass / 161.98621864 + water_mass / 129.14558985))
    made = n * high * (alpha * rho + water) * dz * angle(soil_mass / l3 + water_mass / 3.1627190566)
    reached = np.interp(0.86, np.concatenate([[0], np.cumsum(made) / made.sum()]), np.concatenate([[0], np.cumsum(dz)]))
    return made.sum(), 0.01 * reached, made


MILLIMETRES = np.full(3000, 0.001)
TABLE = [(0.05, 1707.06, 25.58), (0.10, 1492.03, 20.25), (0.20, 1253.88, 14.29), (0.30, 1124.90, 11.04),
         (0.40, 1044.00, 9.00)]


@pytest.mark.parametrize(("moisture", "counts", "depth"), TABLE)
def test_table_of_the_reference_was_made_with_half_degree_rectangles(moisture, counts, depth):
    assert reference(np.full(3000, moisture), MILLIMETRES, rectangles)[0] == pytest.approx(counts, abs=0.006)
    result = cosmic([moisture], [3.0], DENSITY, angles="half_degree", **SANTA_RITA)
    assert result.counts == pytest.approx(counts, rel=1e-4)  # what a sum of 1 mm differs from the integral
    assert 100 * result.effective_depth == pytest.approx(depth, abs=0.006)


@pytest.mark.parametrize("moisture", [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
def test_integral_over_angles_is_that_of_the_bickley_function(moisture):
    counts, depth, _ = reference(np.full(3000, moisture), MILLIMETRES, bickley)
    result = cosmic([moisture], [3.0], DENSITY, **SANTA_RITA)
    assert result.counts == pytest.approx(counts, rel=3e-4 if moisture > 0.5 else 1e-4)
    assert result.effective_depth == pytest.approx(depth, abs=1e-4)
    finer = reference(np.full(30000, moisture), np.full(30000, 1e-4), bickley)[0]
    assert result.counts == pytest.approx(finer, rel=5e-6)  # a hundredth of the error: it is the sum that errs


@pytest.mark.parametrize("moisture", [0.0, 0.1, 0.4])
def test_deep_uniform_soil_has_a_closed_form(moisture):
    rho, water = 1.402, moisture + 0.0753
    a = rho / 161.98621864 + water / 129.14558985
    b = rho / 107.82204562 + water / 3.1627190566
    integral = 2 / np.sqrt(b**2 - a**2) * np.arctan(np.sqrt((b - a) / (b + a)))  # int_0^(pi/2) dphi/(b + a cos)
    exact = 348.33 * (0.2392421548 * rho + water) / a * (1 - 2 / np.pi * b * integral)
    assert cosmic([moisture], [1.0], DENSITY, extent=500.0, **SANTA_RITA).counts == pytest.approx(exact, rel=2e-8)


def test_below_three_metres_little_is_made():
    for moisture, most in ((0.0, 4e-7), (0.05, 3e-9), (0.2, 1e-15)):
        ends = [cosmic([moisture], [3.0], DENSITY, extent=extent, **SANTA_RITA).counts for extent in (3.0, 30.0)]
        assert 0 <= ends[1] / ends[0] - 1 < most


def test_a_sum_over_layers_of_a_model_is_too_low_and_this_one_is_not():
    for moisture, error in ((0.05, -0.026), (0.45, -0.045)):
        fine = reference(np.full(3000, moisture), MILLIMETRES, rectangles)[0]
        coarse = reference(np.full(10, moisture), CLM, rectangles)[0]
        assert coarse / fine - 1 == pytest.approx(error, abs=0.001)
        ours = cosmic(np.full(10, moisture), CLM, DENSITY, angles="half_degree", **SANTA_RITA).counts
        assert ours == pytest.approx(fine, rel=2e-4)


def test_wet_over_dry_is_not_dry_over_wet():
    for moisture, counts, weighted in (([0.35, 0.10], 1135.85, 0.305), ([0.10, 0.35], 1345.13, 0.173)):
        result = cosmic(moisture, [0.1, 2.9], DENSITY, angles="half_degree", **SANTA_RITA)
        assert result.counts == pytest.approx(counts, rel=1e-4)
        assert result.weighted(moisture) == pytest.approx(weighted, abs=5e-4)


def test_counts_fall_with_moisture_as_known():
    for moisture, slope in ((0.1, -3390), (0.2, -1673), (0.3, -994)):
        ends = cosmic([[moisture - 1e-4, moisture + 1e-4]], [3.0], DENSITY, angles="half_degree", **SANTA_RITA).counts
        assert (ends[1] - ends[0]) / 2e-4 == pytest.approx(slope, rel=1e-3)
        assert np.sqrt(24 * ends.mean()) / 24 / abs(slope) == pytest.approx({0.1: 0.0023, 0.2: 0.0043, 0.3: 0.0069}[
            moisture], abs=6e-5)


def test_any_profile_is_what_a_fine_sum_gives():
    rng = np.random.default_rng(3)
    water, density = rng.uniform(0.02, 0.5, (12, 7)), rng.uniform(900, 1700, (12, 7))
    thickness = np.round(rng.uniform(0.01, 0.4, 12), 4)  # whole layers of the sum
    result = cosmic(water, thickness, density, **{**SANTA_RITA, "lattice_water": 0.03})
    edges = np.cumsum(thickness)
    which = np.minimum(np.searchsorted(edges, (np.arange(30000) + 0.5) * 1e-4), 11)  # the lowest layer goes on
    for column in range(7):
        counts, depth, made = reference(
            water[which, column], np.full(30000, 1e-4), bickley, density=density[which, column], lattice=0.03)
        assert result.counts[column] == pytest.approx(counts, rel=5e-6)
        assert result.effective_depth[column] == pytest.approx(depth, abs=2e-5)
        assert result.shares[:, column] == pytest.approx(np.bincount(which, made, 12) / counts, abs=2e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 0.5), st.floats(0, 0.6)), min_size=1, max_size=6), st.floats(0.05, 0.95))
def test_cutting_a_layer_in_two_changes_nothing(layers, where):
    thickness, water = (np.array(one) for one in zip(*layers, strict=True))
    whole = cosmic(water, thickness, DENSITY, **SANTA_RITA)
    halves = np.ravel([where * thickness, (1 - where) * thickness], order="F")
    cut = cosmic(np.repeat(water, 2), halves, DENSITY, **SANTA_RITA)
    assert cut.counts == pytest.approx(whole.counts, rel=1e-12)
    assert cut.effective_depth == pytest.approx(whole.effective_depth, rel=1e-6)
    assert cut.shares.reshape(-1, 2).sum(axis=1) == pytest.approx(whole.shares, abs=1e-12)


def test_above_the_effective_depth_lies_its_share():
    water, thickness = np.array([0.4, 0.1, 0.3]), np.array([0.03, 0.1, 1.0])
    for share in (0.3, 0.86, 0.99):
        for snow in (0.0, 40.0):
            depth = cosmic(water, thickness, DENSITY, share=share, water_above=snow, **SANTA_RITA).effective_depth
            inside = int(np.searchsorted(np.cumsum(thickness), depth))
            edges = np.sort(np.append(np.cumsum(thickness), depth))
            shares = cosmic(np.insert(water, inside, water[inside]), np.diff(np.append(0, edges)), DENSITY,
                            water_above=snow, **SANTA_RITA).shares
            assert shares[: inside + 1].sum() / shares.sum() == pytest.approx(share, abs=1e-7)


def test_layers_below_the_extent_do_not_count():
    deep = cosmic([0.2, 0.3, 0.9], [0.3, 2.7, 5.0], DENSITY, **SANTA_RITA)
    flat = cosmic([0.2, 0.3], [0.3, 0.5], DENSITY, **SANTA_RITA)
    assert deep.counts == flat.counts and deep.shares[2] == 0


def test_water_above_is_a_layer_of_water():
    lying = cosmic([0.2], [3.0], DENSITY, water_above=35.0, **SANTA_RITA)
    layer = cosmic([1.0 - 0.0753, 0.2], [0.035, 3.0], [1e-9, DENSITY], extent=3.035, **SANTA_RITA)
    assert lying.counts == pytest.approx(layer.counts, rel=1e-9)
    assert lying.shares[0] == pytest.approx(layer.shares[1], rel=1e-9)
    counts = cosmic(np.full((1, 4), 0.2), [3.0], DENSITY, water_above=[0, 1, 10, 1000], **SANTA_RITA).counts
    assert (np.diff(counts) < 0).all()


def test_a_column_does_not_know_its_neighbours():
    rng = np.random.default_rng(5)
    water, snow = rng.uniform(0.02, 0.5, (9, 77)), np.where(rng.uniform(size=77) < 0.3, rng.uniform(0, 300, 77), 0.0)
    all_of_them = cosmic(water, CLM[:9], DENSITY, water_above=snow, **SANTA_RITA)
    for some in (slice(3, 4), slice(10, 50), slice(None, None, -1)):
        part = cosmic(water[:, some], CLM[:9], DENSITY, water_above=snow[some], **SANTA_RITA)
        assert (part.counts == all_of_them.counts[some]).all()
        assert (part.effective_depth == all_of_them.effective_depth[some]).all()


def test_axes_after_the_layers_stay():
    water = np.random.default_rng(1).uniform(0.05, 0.4, (10, 3, 5))
    result = cosmic(water, CLM, np.full((10, 1, 5), DENSITY), water_above=np.arange(5.0), **SANTA_RITA)
    assert result.counts.shape == result.effective_depth.shape == (3, 5)
    assert result.shares.shape == (10, 3, 5)
    assert result.counts[1, 2] == cosmic(water[:, 1, 2], CLM, DENSITY, water_above=2.0, **SANTA_RITA).counts


def test_parameters_of_a_site():
    alpha, length = site_parameters(1402.0)
    assert alpha == pytest.approx(0.404 - 0.101 * 1.402)
    assert length == pytest.approx(1075.5, abs=0.1)
    assert site_parameters(1402.0, "mhm")[1] == pytest.approx(1079.0, abs=0.1)
    assert site_parameters(300.0, "mhm")[1] == 10.0
    plain = cosmic([0.2, 0.2], [0.1, 2.9], [1300.0, 1453.0], n=1.0).counts  # upper 0.3 m: 1402
    given = cosmic([0.2, 0.2], [0.1, 2.9], [1300.0, 1453.0], n=1.0, alpha=alpha, soil_length=length).counts
    assert plain == given


@pytest.mark.parametrize(("change", "words"), [
    ({"bulk_density": 1.4}, "outside the relation"),
    ({"bulk_density": 1.4, "alpha": 0.24, "soil_length": 1078.0, "soil_moisture": [-0.1]}, "between 0 and 2 m3 m-3"),
    ({"bulk_density": 5000.0, "alpha": 0.24, "soil_length": 1078.0}, "up to 4000 kg m-3"),
    ({"soil_moisture": [np.nan]}, "between 0 and 2 m3 m-3"),
    ({"soil_moisture": 0.2}, r"must have shape \(layer, ...\)"),
    ({"thickness": [0.1, 0.2]}, "thickness of shape"),
    ({"thickness": [0.0]}, "above 0 m"),
    ({"water_above": -1.0}, "at least 0 kg m-2"),
    ({"n": 0.0}, "must be above 0"),
    ({"angles": "all"}, "unknown angles 'all'"),
    ({"relation": "santa_rita"}, "unknown relation"),
    ({"extent": 0.0}, "depth of counting"),
    ({"share": 1.0}, "between 0 and 1"),
])
def test_wrong_input_is_told(change, words):
    right = {"soil_moisture": [0.2], "thickness": [3.0], "bulk_density": DENSITY, "n": 348.33}
    with pytest.raises(InputError, match=words):
        cosmic(**{**right, **change})
