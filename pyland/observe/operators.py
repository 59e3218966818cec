"""Which observation operator belongs to which observation type."""

from __future__ import annotations

from collections.abc import Callable

from pyland.base.errors import InputError, UnavailableError
from pyland.observe.soil_moisture import soil_moisture

_OPERATORS: dict[str, Callable] = {"soil_moisture": soil_moisture}
_LATER = (
    "crns", "brightness_temperature", "lst", "snow_cover", "lai", "tws", "groundwater", "discharge",
)


def operator_for(observation_type: str) -> Callable:
    """Return the operator of an observation type.

    Parameters
    ----------
    observation_type : str
        The ``type`` of an entry of ``observations``.

    Returns
    -------
    callable
        For ``soil_moisture``: :func:`pyland.observe.soil_moisture.soil_moisture`.

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
