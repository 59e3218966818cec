"""Attributes of output variables: from the registry, or for the terms that only output knows."""

from __future__ import annotations

from typing import Any

CONVENTIONS = "CF-1.11"

TIME_ATTRIBUTES = {
    "standard_name": "time",
    "long_name": "time",
    "units": "seconds since 1970-01-01 00:00:00",
    "calendar": "proleptic_gregorian",
    "units_metadata": "leap_seconds: none",
    "axis": "T",
}

STATISTICS = {
    "mean": ("", "ensemble mean of ", "mean"),
    "std": ("_std", "ensemble standard deviation of ", "standard_deviation"),
    "min": ("_min", "ensemble minimum of ", "minimum"),
    "max": ("_max", "ensemble maximum of ", "maximum"),
    "median": ("_median", "ensemble median of ", "median"),
}
"""Statistic: suffix of the variable, prefix of its long name, CF cell method over members."""

_NOT_A_QUANTITY = ("standard_name", "positive")


def variable_attributes(identifier: str) -> dict[str, Any]:
    """Return the attributes of a registered variable (units, long_name, standard_name, aliases).

    Parameters
    ----------
    identifier : str
        Identifier of the registry, such as ``soil_water``.

    Raises
    ------
    InputError
        By the registry, if it does not know the variable.
    """
    from pyland.base.registry import attributes

    return {name: value for name, value in attributes(identifier).items() if value is not None}


def file_attributes(title: str, source: str) -> dict[str, str]:
    """Return the global attributes of a file of results.

    Parameters
    ----------
    title, source : str
        What it is, and what made it.
    """
    import pyland

    return {"Conventions": CONVENTIONS, "title": title, "source": source,
            "history": f"written by pyland {pyland.__version__}"}


def vertical_axis_of(identifier: str) -> str | None:
    """Return the vertical axis of a registered variable: `layer`, `thermal_layer` or `patch`; None without one.

    Raises
    ------
    InputError
        By the registry, if it does not know the variable.
    """
    from pyland.base.registry import variable

    return next((name for name in variable(identifier).dims if name != "column"), None)


def statistic_suffix(statistic: str) -> str:
    """Return what a statistic appends to the identifier: '' for the mean, '_std', '_p05', ..."""
    return STATISTICS[statistic][0] if statistic in STATISTICS else f"_{statistic}"


def statistic_attributes(identifier: str, statistic: str, time_method: str, nmember: int) -> dict[str, Any]:
    """Return the attributes of one ensemble statistic of a registered variable.

    Parameters
    ----------
    identifier : str
        Identifier of the registry.
    statistic : str
        ``mean``, ``std``, ``min``, ``max``, ``median`` or a percentile ``pNN``.
    time_method : str
        ``mean`` over the output interval, or ``point`` at its end.
    nmember : int
        Ensemble size; no member statistic is named for a single member.
    """
    attributes = variable_attributes(identifier)
    attributes.setdefault("long_name", identifier.replace("_", " "))
    if nmember == 1:
        attributes["cell_methods"] = f"time: {time_method}"
        return attributes
    if statistic in STATISTICS:
        _, prefix, method = STATISTICS[statistic]
        attributes["cell_methods"] = f"time: {time_method} realization: {method}"
    else:
        prefix = f"ensemble percentile {int(statistic[1:])} of "
        attributes["cell_methods"] = f"time: {time_method}"
    attributes["long_name"] = prefix + attributes["long_name"]
    if statistic == "std":  # a spread is not the quantity itself, and has no direction
        for name in _NOT_A_QUANTITY:
            attributes.pop(name, None)
        if "units_metadata" in attributes:
            attributes["units_metadata"] = "temperature: difference"
    return attributes
