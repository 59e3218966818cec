import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.neutrons import (
    absolute_humidity,
    biomass_factor,
    biomass_water,
    humidity_factor,
    incoming_factor,
    lattice_water,
    n0_counts,
    n0_moisture,
    organic_water,
    pressure_factor,
    uts_counts,
    uts_moisture,
    water_above,
)
from pyland.observe.neutrons.conversion import uts_humidity_factor
from pyland.observe.neutrons.corrections import hawdon_amplitude, saturation_pressure
from pyland.observe.neutrons.hydrogen import organic_share_water

UTS = {  # by neptoon 1.2 for N_D 1000, other water 0.02: moisture [kg kg-1], humidity [g m-3] of each column
    "mcnp_drf": [549.2144019226527, 366.72288469129893, 297.8493879949527],
    "mcnp_window": [447.5539394217164, 278.30642436628625, 219.12466651147335],
    "uranos_drf": [555.5347545139248, 375.29869233393475, 284.6149968233727],
    "uranos_window": [453.59267339557465, 282.42885743779357, 210.21240834285027],
}


@pytest.mark.parametrize(("parameters", "counts"), UTS.items())
def test_universal_transport_solution(parameters, counts):
    moisture, humidity = np.array([0.05, 0.2, 0.4]), np.array([0.001, 0.008, 0.015])
    assert uts_counts(moisture, humidity, 1000.0, 0.02, parameters) == pytest.approx(counts, rel=1e-12)
    assert uts_moisture(counts, humidity, 1000.0, 0.02, parameters) == pytest.approx(moisture, abs=1e-12)


def test_universal_transport_solution_has_no_inverse_everywhere():
    dry = uts_counts(0.0, 0.005, 2000.0)
    assert np.isnan(uts_moisture([dry * 1.001, 1.0, np.nan], 0.005, 2000.0)).all()
    assert uts_moisture(900.0, 0.005, 2000.0, 0.02) == pytest.approx(0.09967, abs=1e-4)  # neptoon 1.2, to its tolerance


def test_n0_relation():
    assert n0_counts(0.2, 2600.0, 0.03) == pytest.approx(1576.127536231884, rel=1e-12)  # neptoon 1.2
    assert n0_moisture(1500.0, 2600.0, 0.03) == pytest.approx(0.24929429429429437, rel=1e-12)
    moisture = np.linspace(0, 0.6, 13)
    assert n0_moisture(n0_counts(moisture, 2600.0, 0.05), 2600.0, 0.05) == pytest.approx(moisture, abs=1e-12)
    assert n0_moisture(4000.0, 2600.0) < 0  # more than dry soil gives
    assert np.isnan(n0_moisture([0.372 * 2600.0, 10.0], 2600.0)).all()


def test_corrections_by_crnpy():
    assert absolute_humidity(0.6 * saturation_pressure(293.15), 293.15) == pytest.approx(1.0362e-2, rel=6e-4)
    length = 13000.0 / 9.80616  # crnpy has the length as a pressure, 130 hPa
    assert 1 / pressure_factor(96000.0, 96500.0, length) == pytest.approx(1.039210757944791, rel=1e-12)
    assert humidity_factor(0.010, 0.003) == pytest.approx(1.0378, rel=1e-12)
    assert biomass_factor(4.0) == pytest.approx(1.021659174499387, rel=1e-12)
    assert incoming_factor(110.0, 100.0) == pytest.approx(1 / 1.1)
    assert incoming_factor(110.0, 100.0, hawdon_amplitude(4.0, 8.0)) == pytest.approx(1 / 1.13)


def test_more_air_fewer_neutrons():
    assert (np.diff(pressure_factor([94000.0, 96000.0, 98000.0], 96000.0)) > 0).all()
    assert pressure_factor(96000.0, 96000.0) == 1.0
    assert np.isnan(pressure_factor([np.nan, 96000.0], 96000.0)).tolist() == [True, False]


def test_effect_of_humidity_is_the_ratio_of_the_solution():
    """With the default parameters 10 g m-3 take 8 % off, nearly alike from dry to wet soil; Rosolem has 5.4 %."""
    factors = uts_humidity_factor(np.array([0.03, 0.1, 0.2, 0.4]), 0.010)
    counts = [uts_counts(0.2, humidity, 1.0) for humidity in (0.0, 0.010)]
    assert factors[2] == pytest.approx(counts[0] / counts[1], rel=1e-12)
    assert factors == pytest.approx([1.0811, 1.0812, 1.0797, 1.0771], abs=1e-4)
    assert humidity_factor(0.010) == pytest.approx(1.054)
    assert uts_humidity_factor(0.2, 0.010, 0.010) == 1.0


def test_hydrogen():
    assert lattice_water(30.0) == pytest.approx(0.05349)
    assert lattice_water(30.0, 1500.0, "avery2016") == pytest.approx(0.097 * 0.3 * 1.5)
    assert organic_water(1400.0, carbon=0.02) == pytest.approx(0.556 * 0.04 * 1.4)
    assert organic_water(1400.0, matter=0.04) == organic_water(1400.0, carbon=0.02)
    assert organic_share_water(1.0) == pytest.approx(0.07228)
    assert biomass_water(5.0, 1.0) == pytest.approx(4.556)
    assert water_above(snow=np.array([[1.0], [2.0]]), canopy=np.ones((2, 3)), ponded=0.5).tolist() == [
        [2.5] * 3, [3.5] * 3]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: pressure_factor(960.0, 96000.0), "1 hPa is 100 Pa"),
    (lambda: humidity_factor(8.0), "1 g m-3 is 0.001 kg m-3"),
    (lambda: absolute_humidity(1200.0, 20.0), "temperature must lie between 150 and 350 K"),
    (lambda: incoming_factor([100.0, 0.0], 100.0), "above 0"),
    (lambda: biomass_factor(200.0), "biomass"),
    (lambda: lattice_water(130.0), "between 0 and 100 %"),
    (lambda: lattice_water(30.0, relation="x"), "unknown relation"),
    (lambda: organic_water(1400.0, matter=4.0), "organic matter"),
    (lambda: biomass_water(1.0, 2.0), "fresh mass"),
    (lambda: water_above(canopy=-0.1), "canopy must be at least 0"),
    (lambda: n0_counts(-0.1, 2600.0), "at least 0 kg kg-1"),
    (lambda: n0_moisture(900.0, 0.0), "n0 must be above 0"),
    (lambda: uts_counts(0.2, 0.005, 1000.0, parameters="newest"), "unknown parameters 'newest'"),
])
def test_wrong_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
