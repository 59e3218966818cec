"""Options of filters and observations: each that does not fit is refused with its line, none is ignored."""

from __future__ import annotations

import math

import pytest

from cases import TWIN, changed
from pyland.assimilate import filter_options, filter_table, particle_filter
from pyland.base.errors import ConfigError
from pyland.config import filter_options as words
from pyland.config import load_case
from pyland.config.filter_options import FilterOptionsSection
from pyland.config.filters import (
    FILTERS,
    GLOBAL_FILTERS,
    LOCAL_FILTERS,
    OPTIONS,
    SERIAL_FILTERS,
    SMOOTHERS,
    is_local,
    method_of,
)
from pyland.core import transforms

LOCAL = {"assimilation.localization": {"radius": "3 km"}}
GLOBAL = {"assimilation.filter": "etkf", "assimilation.localization": None}

LENKF = {"assimilation.filter": "lenkf"}


def load(changes):
    return load_case(changed(TWIN, changes))


def test_filters_are_those_of_the_analysis():
    assert filter_table.GLOBAL_FILTERS == GLOBAL_FILTERS and filter_table.LOCAL_FILTERS == LOCAL_FILTERS
    assert {name for name, one in filter_table.FILTERS.items() if one.family == "serial"} == set(SERIAL_FILTERS)


def test_filters_and_smoothers_have_one_name_each():
    assert len(set(FILTERS)) == len(FILTERS)
    assert set(SMOOTHERS.values()) <= {*GLOBAL_FILTERS, *LOCAL_FILTERS} and set(SERIAL_FILTERS) < set(FILTERS)
    assert is_local("letks") and not is_local("enks") and method_of("letks") == "letkf" and method_of("pf") == "pf"


@pytest.mark.parametrize("name", [name for name in FILTERS if name != "none"])
def test_every_filter_loads(name):
    changes = {"assimilation.filter": name} | ({} if is_local(name) else {"assimilation.localization": None})
    window = {"assimilation.window": "1 day"} if name in SMOOTHERS else {}
    assert load(changes | window).assimilation.filter == name


@pytest.mark.parametrize(("changes", "words"), [
    ({"assimilation.localization.threshold": 0.3}, "expected adaptive: correlation with threshold"),
    ({"assimilation.localization.radius": None}, "localization.radius: expected a radius [m] with filter: letkf"),
    (GLOBAL | {"assimilation.localization": {"depth": 1.0}}, "expected no localization with filter: etkf"),
    (GLOBAL | {"observations.0.localization": {"radius": 5e3}}, "0.localization: expected no localization"),
    (GLOBAL | {"assimilation.inflation": {"factor": 1.1, "unobserved": True}}, "every cell is within reach"),
    ({"assimilation.inflation": {"unobserved": True}}, "a factor above 1, adaptive or additive with unobserved"),
    ({"assimilation.inflation": {"relaxation_to": "perturbations"}}, "expected a relaxation above 0"),
    ({"assimilation.inflation": {"factor": 1.1, "adaptive": {}}}, "expected no factor beside adaptive"),
    ({"assimilation.inflation": {"relaxation": 0.3, "adaptive": {}}}, "expected no relaxation beside adaptive"),
    ({"assimilation.inflation": {"adaptive": {"initial": 0.5}}}, "expected a number from lower (1) to upper (50)"),
    ({"assimilation.inflation": {"adaptive": {"std": 0.1}}}, "smallest_std: expected at most std (0.1), got 0.6"),
    ({"assimilation.inflation": {"adaptive": {"lower": 3, "upper": 2}}}, "upper: expected a number above lower (3)"),
    ({"assimilation.inflation": {"additive": {"pressure_head": 0.1}}}, "expected states of update (soil_water)"),
    ({"assimilation.inflation": {"additive": {"soil_watr": 0.1}}}, "expected names of states, got 'soil_watr'"),
    ({"assimilation.inflation": {"additive": {"soil_water": -0.1}}}, "expected a number [m3 m-3] above 0, got -0.1"),
    ({"assimilation.inflation": {"additive": 0.1}}, "expected a mapping of states to standard deviations"),
    (GLOBAL | {"assimilation.filter": "enkf", "assimilation.rotation": True}, "which perturbs its observations"),
    (GLOBAL | {"assimilation.filter": "rhf", "assimilation.rotation": True}, "which keeps the ranks of the members"),
    ({"assimilation.filter": "letks"}, "expected a window [s] with filter: letks, got nothing"),
    ({"assimilation.window": "1 day"}, "expected no window with filter: letkf; it belongs to the smoothers"),
    ({"assimilation.filter": "letks", "assimilation.window": "1 day", "assimilation.incremental": {"window": "1 h"}},
     "expected no incremental with filter: letks"),
    ({"assimilation.incremental": {"window": "90 min"}}, "expected a whole number of steps of 3600 s, got 5400 s"),
    ({"assimilation.every": "6 h", "assimilation.incremental": {"window": "12 h"}},
     "expected at most assimilation.every"),
    ({"assimilation.incremental": {"window": "6 h", "weights": "hat"}}, "expected one of constant or linear"),
    ({"assimilation.filter": "lensrf", "observations.0.error_correlation": "2 km"}, "expected 0 with"),
    (GLOBAL | {"assimilation.filter": "pf", "assimilation.inflation": {"factor": 1.1}},
     "inflation.factor: expected no factor with filter: pf, which copies members as they are"),
    (GLOBAL | {"assimilation.filter": "pf", "assimilation.inflation": {"relaxation": 0.5}},
     "inflation.relaxation: expected no relaxation with filter: pf"),
    (LENKF | {"assimilation.localization.taper": "none"}, "localization.taper: expected gaspari_cohn with"),
    (LENKF | {"assimilation.localization.taper": "exponential"}, "got exponential; a weight that jumps to 0"),
    (LENKF | {"observations.0.localization": {"taper": "none"}}, "observations.0.localization.taper: expected gaspari"),
    (LENKF | {"assimilation.localization.adaptive": "correlation"}, "adaptive: expected none with"),
    (LENKF | {"observations.0.error_correlation": "2 km"}, "error_correlation: expected 0 with"),
    ({"assimilation.options": {"root": "cholesky"}}, "options.root: expected no root with filter: letkf; it belongs"),
    ({"assimilation.filter": "lnetf", "assimilation.options": {"hybrid_rule": "lin"}},
     "belongs to knetf, lknetf; lnetf has likelihood, least_effective"),
    ({"assimilation.filter": "lknetf", "assimilation.options": {"hybrid_weight": 1.5}}, "at least 0 and at most 1"),
    ({"assimilation.filter": "lknetf", "assimilation.options": {"hybrid_norm": 0}}, "expected a number above 0"),
    ({"assimilation.filter": "lknetf", "assimilation.options": {"variant": "kn"}}, "expected one of hnk, hkn or hsync"),
    (GLOBAL | {"assimilation.filter": "pf", "assimilation.options": {"dimension": 5}}, "expected a jitter above 0"),
    ({"assimilation.filter": "lrhf", "assimilation.options": {"bounds": [0, 1]}}, "did you mean 'observations.bounds'"),
    ({"observations.0.bounds": [0, 1]}, "they belong to rhf, lrhf"),
    ({"assimilation.filter": "lrhf", "observations.0.bounds": [0.5, 0.5]}, "expected [least, largest]"),
    ({"assimilation.filter": "lrhf", "observations.0.bounds": [0, "1 km"]}, "converts to m3 m-3"),
    ({"assimilation.filter": "lrhf", "observations.0.bounds": [0, 1], "assimilation.inflation": {"adaptive": {}}},
     "expected no bounds with assimilation.inflation.adaptive"),
    ({"assimilation.inflation": {"rtps": 0.3}}, "'rtps'; pyland has it as relaxation with relaxation_to: spread"),
    ({"assimilation.inflation": 1.05}, "inflation: expected a mapping such as {factor: 1.05}, got 1.05"),
    ({"assimilation.localization": 3000}, "expected a mapping such as {radius: 20 km}, got 3000"),
    ({"assimilation.hybrid_weight": 0.3}, "did you mean 'assimilation.options.hybrid_weight'?"),
    ({"assimilation.forget": 0.9}, "pyland has it as assimilation.inflation.factor = 1/sqrt(forget)"),
    ({"radius": 3000}, "pyland has it as assimilation.localization.radius"),
    ({"ksat": 1}, "pyland has it as saturated_conductivity of"),
    ({"ensemble.perturb.parameters": {"ksat": {"std": 0.3}}}, "got 'ksat'; did you mean 'saturated_conductivity'?"),
    ({"assimilation.parameters": {"ksat": {}}}, "got 'ksat'; did you mean 'saturated_conductivity'?"),
    ({"observations.0.footprint_weights": "gaussian"}, "expected a footprint above 0 with footprint_weights"),
    ({"observations.0.depth": [0.1, 0.1], "observations.0.e_folding_depth": 0.05}, "got a probe at 0.1 m"),
    ({"observations.0.type": "groundwater", "observations.0.depth": None, "observations.0.e_folding_depth": 0.05},
     "expected no e_folding_depth with type: groundwater"),
    ({"observations.0.withheld": 1.0}, "expected a number at least 0 and below 1, got 1.0"),
    ({"observations.0.thinning": -1.0}, "expected a number [m] at least 0"),
    ({"observations.0.relative_error": -0.1}, "expected a number at least 0"),
    ({"observations.0.localization": {"taper": "box"}}, "expected one of gaspari_cohn, exponential or none"),
])
def test_what_does_not_fit_is_refused(changes, words):
    with pytest.raises(ConfigError) as caught:
        load(changes)
    assert words in str(caught.value)


def test_nothing_is_asked_of_a_filter_that_is_off():
    config = load({"assimilation.filter": "none", "assimilation.window": "1 day", "assimilation.rotation": True})
    assert config.assimilation.filter == "none"


def test_a_radius_of_each_type_is_enough():
    config = load({"assimilation.localization": {"depth": "50 cm"},
                   "observations.0.localization": {"radius": "3 km", "taper": "none"}})
    own = config.observations[0].localization
    assert (own.radius, own.taper, own.depth, config.assimilation.localization.depth) == (3000.0, "none", None, 0.5)


def test_units_and_defaults():
    config = load({"assimilation.inflation": {"additive": {"soil_water": "1 percent"}, "adaptive": {}},
                   "assimilation.incremental": {"window": "3 h"}, "observations.0.e_folding_depth": "3 cm"})
    section = config.assimilation
    assert section.inflation.additive == {"soil_water": 0.01} and section.inflation.adaptive.prior == "inverse_gamma"
    assert (section.incremental.window, section.incremental.weights) == (10800.0, "constant")
    assert config.observations[0].decay == 0.03 and load({}).observations[0].decay == math.inf


def test_errors_of_observations_localised_by_the_lenkf_allow_all_tapers():
    options = {"assimilation.options": {"localise": "errors"}, "assimilation.localization.taper": "none",
               "assimilation.localization.adaptive": "correlation", "observations.0.error_correlation": "2 km"}
    assert load(LENKF | options).assimilation.options.given() == {"localise": "errors"}


def test_options_of_single_filters():
    """The words of a case are those of the filters; each option has an owner."""
    pairs = (("LIKELIHOODS", transforms), ("ROOTS", transforms), ("VARIANTS", transforms), ("HYBRID_RULES", transforms),
             ("RESAMPLINGS", particle_filter), ("LOCALISE", filter_options))
    for name, module in pairs:
        assert list(getattr(words, name)) == list(getattr(module, name)), name
    assert dict(filter_options.OPTIONS) == dict(OPTIONS)
    assert {one for names in OPTIONS.values() for one in names} == {*FilterOptionsSection.model_fields, "bounds"}
    given = {"likelihood": "laplace", "jitter": 0.3, "resampling": "residual", "dimension": 7}
    section = load(GLOBAL | {"assimilation.filter": "pf", "assimilation.options": given}).assimilation
    assert section.options.given() == given
    bounded = load({"assimilation.filter": "lrhf", "observations.0.bounds": [0, "50 percent"]})
    assert bounded.observations[0].bounds == [0.0, 0.5]


def test_one_problem_is_told_once():
    """A hydraulic parameter beside pedotransfer: it is not texture that is missing."""
    noise = {"porosity": {"kind": "multiply_lognormal", "std": 0.1}}
    with pytest.raises(ConfigError) as caught:
        load({"ensemble.perturb.pedotransfer": True, "ensemble.perturb.parameters": noise})
    assert "got true and porosity" in str(caught.value) and "got none" not in str(caught.value)
    far = {"assimilation.inflation": {"zzz": 1}}
    with pytest.raises(ConfigError) as caught:
        load(far)
    assert "did you mean" not in str(caught.value)
