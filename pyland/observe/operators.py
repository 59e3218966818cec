"""Which observation operator belongs to which observation type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError, UnavailableError
from pyland.observe.groundwater import column_water_table
from pyland.observe.soil_moisture import column_soil_moisture


@dataclass(frozen=True)
class Operator:
    """From a field of the model to what a sensor would see in each column.

    Attributes
    ----------
    field : str
        Registry id of the field that it needs, (layer, member, cell).
    recorded : str
        Registry id of what a history holds of it.
    columns : callable
        Takes the field, the thickness of the layers (layer,) [m], top and bottom of what is seen [m], and the depth
        over which the weight of what is seen falls to 1/e [m], infinite by default; returns what is seen,
        (member, cell) [unit of the type].
    """

    field: str
    recorded: str
    columns: Callable[..., np.ndarray]


def _table(
    pressure_head: np.ndarray, thickness: np.ndarray, top: float, bottom: float, e_folding_depth: float = np.inf
) -> np.ndarray:
    """See `column_water_table`; a well has no depth window."""
    return column_water_table(pressure_head, thickness)


_OPERATORS = MappingProxyType({
    "soil_moisture": Operator("soil_water", "soil_water", column_soil_moisture),
    "groundwater": Operator("pressure_head", "water_table_depth", _table),
})
_LATER = ("crns", "brightness_temperature", "lst", "snow_cover", "lai", "tws", "discharge")


def operator_for(observation_type: str) -> Operator:
    """Return the operator of an observation type.

    Parameters
    ----------
    observation_type : str
        The ``type`` of an entry of ``observations``.

    Raises
    ------
    UnavailableError
        If the type is documented but this version has no operator for it.
    InputError
        If there is no such type.
    """
    if observation_type in _OPERATORS:
        return _OPERATORS[observation_type]
    available = ", ".join(_OPERATORS)
    if observation_type in _LATER:
        raise UnavailableError(
            f"observations: type '{observation_type}' is not available in this version; available: {available}."
        )
    raise InputError(f"observations: unknown type '{observation_type}'; available: {available}.")
