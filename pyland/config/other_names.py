"""What other systems and papers call a key or a parameter, and where pyland has it."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from pyland.base.text import suggestion

KEYS = MappingProxyType({
    "rtps": "relaxation with relaxation_to: spread",
    "rtpp": "relaxation with relaxation_to: perturbations",
    "forget": "assimilation.inflation.factor = 1/sqrt(forget)",
    "forgetting_factor": "assimilation.inflation.factor = 1/sqrt(forgetting_factor)",
    "cradius": "assimilation.localization.radius",
    "sradius": "assimilation.localization.radius",
    "radius": "assimilation.localization.radius",
    "taper": "assimilation.localization.taper",
    "locweight": "assimilation.localization.taper: none (0), exponential (1) or gaspari_cohn (2)",
    "ksat": "saturated_conductivity of surface.soil.parameters",
})
"""Keys of ``case.yaml`` by other names."""

PARAMETERS = MappingProxyType({
    **dict.fromkeys(("ksat", "k_sat", "ks", "hydraulic_conductivity", "log_ksat"), "saturated_conductivity"),
    **dict.fromkeys(("alpha", "vg_alpha"), "van_genuchten_alpha"),
    **dict.fromkeys(("n", "vg_n"), "van_genuchten_n"),
    **dict.fromkeys(("theta_s", "saturated_water"), "porosity"),
    **dict.fromkeys(("theta_r", "theta_res"), "residual_water"),
    **dict.fromkeys(("psi_sat", "psis"), "air_entry_head"),
    **dict.fromkeys(("bexp", "bb"), "clapp_hornberger_b"),
    "lai": "leaf_area_index",
    "vcmax": "vcmax25_top",
})
"""Parameters by other names."""


def meant_parameter(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for a parameter, by its other names first, or an empty string."""
    known = tuple(known)
    other = PARAMETERS.get(name.lower())
    return f"; did you mean '{other}'?" if other in known else suggestion(name, known)


__all__ = ["KEYS", "PARAMETERS", "meant_parameter"]
