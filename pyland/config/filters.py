"""Filters by name, and which options each of them has."""

from __future__ import annotations

from types import MappingProxyType

GLOBAL_FILTERS = ("enkf", "etkf", "estkf", "seik", "denkf", "ensrf", "eakf", "rhf", "netf", "knetf", "pf")
"""One analysis for all cells."""

LOCAL_FILTERS = (
    "letkf", "lestkf", "lseik", "ldenkf", "lenkf", "lensrf", "leakf", "lrhf", "lnetf", "lknetf",
)  # fmt: skip
"""One analysis per cell, or per layer of a cell, with the observations around it."""

SMOOTHERS = MappingProxyType({"enks": "enkf", "etks": "etkf", "letks": "letkf"})
"""Filters that go on updating the analysed states of a window, and the filter that each of them is."""

FILTERS = ("none", *GLOBAL_FILTERS, *LOCAL_FILTERS, *SMOOTHERS)
"""Words of ``assimilation.filter``."""

LATER_FILTERS = ("3dvar", "3denvar", "hybrid3dvar")
"""Methods on arrays (`pyland.assimilate`) that a case cannot name: they need a static covariance."""

SERIAL_FILTERS = ("ensrf", "eakf", "rhf", "lensrf", "leakf", "lrhf")
"""One observation after the other: errors must not be correlated."""

UNROTATED_FILTERS = MappingProxyType({
    "enkf": "perturbs its observations", "lenkf": "perturbs its observations", "enks": "perturbs its observations",
    "rhf": "keeps the ranks of the members", "lrhf": "keeps the ranks of the members", "pf": "draws its members anew",
})
"""Filters whose members are not rotated, and why."""

_NONLINEAR = ("likelihood", "least_effective")
_HYBRID = ("likelihood", "variant", "hybrid_rule", "hybrid_weight", "hybrid_norm")
OPTIONS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType({
    "seik": ("root",), "lseik": ("root",),
    "netf": _NONLINEAR, "lnetf": _NONLINEAR,
    "knetf": _HYBRID, "lknetf": _HYBRID,
    "rhf": ("bounds",), "lrhf": ("bounds",),
    "pf": ("jitter", "resampling", "dimension", *_NONLINEAR),
    "lenkf": ("localise",),
})  # fmt: skip
"""Options that single filters have, by filter."""


def method_of(name: str) -> str:
    """Return the filter of a name of ``assimilation.filter``: that of a smoother is the filter it is made of."""
    return SMOOTHERS.get(name, name)


def is_local(name: str) -> bool:
    """Whether a filter or smoother updates each cell with the observations around it."""
    return method_of(name) in LOCAL_FILTERS
