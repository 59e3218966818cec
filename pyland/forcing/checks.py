"""Physical bounds of forcing, and the messages for values outside them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pyland.base.errors import InputError


class PhysicalBounds(NamedTuple):
    """What a forcing variable can be on earth, as a mean over ten minutes or more."""

    lowest: float
    highest: float
    clip: float
    """Values in ``[lowest, clip)`` are instrument offsets or packing noise and are set to ``clip``."""
    unit: str
    source: str


BOUNDS: dict[str, PhysicalBounds] = {
    "air_temperature": PhysicalBounds(
        180.0, 335.0, 180.0, "K", "WMO records: 184.0 K (Vostok 1983), 329.9 K (Furnace Creek 1913)"),
    "specific_humidity": PhysicalBounds(
        0.0, 0.05, 0.0, "kg kg-1", "highest dew point on record 35 degC (Dhahran 2003): 0.037 kg kg-1 at 1000 hPa"),
    "surface_pressure": PhysicalBounds(
        30000.0, 110000.0, 30000.0, "Pa",
        "summit of Everest in winter 31 kPa; highest sea level pressure 108.9 kPa (WMO)"),
    "wind_speed": PhysicalBounds(
        0.0, 100.0, 0.0, "m s-1", "10-minute means of tropical cyclones reach 90 m s-1"),
    "longwave_down": PhysicalBounds(
        40.0, 700.0, 40.0, "W m-2", "Antarctic plateau in winter about 60 W m-2; black body at 333 K: 697 W m-2"),
    "shortwave_down": PhysicalBounds(
        -15.0, 1500.0, 0.0, "W m-2",
        "night offset of thermopile pyranometers down to -15 W m-2 (ISO 9060 zero offsets); sunlit gaps between clouds "
        "in thin air exceed the solar constant by less than a tenth in means over ten minutes"),
    "rain": PhysicalBounds(
        -1.0e-7, 0.25, 0.0, "kg m-2 s-1",
        "record of 198 mm in 15 minutes (Plumb Point 1916): 0.22 kg m-2 s-1; packing noise of 0.01 mm per day"),
    "snowfall": PhysicalBounds(
        -1.0e-7, 0.05, 0.0, "kg m-2 s-1",
        "1.9 m of snow in a day (Silver Lake 1921) is 0.003 kg m-2 s-1, hours reach ten times that"),
}  # fmt: skip
"""Bounds by registry name; the same bounds hold for total precipitation as for rain."""

BOUNDS["precipitation"] = BOUNDS["rain"]


def check_values(
    values: np.ndarray, name: str, label: str, file: str, first_time: np.datetime64, interval: int, first_index: int = 0
) -> int:
    """Check one variable against its bounds; set small instrument offsets to the clip value in place.

    Parameters
    ----------
    values : numpy.ndarray
        Values in the unit of `BOUNDS`, shape ``(time, cell)``; changed in place.
    name : str
        Registry name, a key of `BOUNDS`.
    label : str
        Name of the variable in the file.
    file : str
        Path, for the message.
    first_time : numpy.datetime64
        Start of the first interval of ``values``.
    interval : int
        Length of an interval [s].
    first_index : int
        Position of the first row in the file.

    Returns
    -------
    int
        Number of values that were clipped.

    Raises
    ------
    InputError
        If a value is missing (NaN) or out of bounds; the message names file, variable, index, time, value and the
        expected range.
    """
    bounds = BOUNDS[name]
    missing = np.isnan(values)
    if missing.any():
        rows = np.flatnonzero(missing.any(axis=1))
        row = int(rows[0])
        raise InputError(
            f"{file}: variable '{label}' has {int(missing.sum())} missing values in {rows.size} time steps; the first "
            f"is at index {first_index + row} ({first_time + np.timedelta64(row * interval, 's')} UTC); forcing must "
            "be gap-free: fill the gaps, or choose a period without them"
        )
    outside = (values < bounds.lowest) | (values > bounds.highest)
    if outside.any():
        row, cell = (int(i) for i in np.argwhere(outside)[0])
        where = f"index {first_index + row}" + (f", cell {cell}" if values.shape[1] > 1 else "")
        raise InputError(
            f"{file}: variable '{label}' at {where} ({first_time + np.timedelta64(row * interval, 's')} UTC) is "
            f"{values[row, cell]:.6g} {bounds.unit}, outside [{bounds.lowest:g}, {bounds.highest:g}] {bounds.unit}; "
            f"{int(outside.sum())} values are; check the units attribute and the fill value of the variable"
        )
    small = values < bounds.clip
    values[small] = bounds.clip
    return int(small.sum())
