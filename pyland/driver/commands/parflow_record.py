"""The netCDF file of ``pyland parflow run``: states where ParFlow writes, flow over land at every step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

import pyland
from pyland.base.complete_files import partial_path, publish
from pyland.base.units import WATER_DENSITY
from pyland.output.attributes import CONVENTIONS, variable_attributes
from pyland.subsurface import ParflowRun
from pyland.subsurface.parflow_output import PressureDifference

_STATES = {
    "pressure_head": ("time", "layer", "y", "x"),
    "soil_water": ("time", "layer", "y", "x"),
    "surface_water": ("time", "y", "x"),
    "water_table_depth": ("time", "y", "x"),
}
"""Variables of the registry that are written with every state."""


class ParflowRecord:
    """Writes what a run does; the file has its name only when it is complete.

    Parameters
    ----------
    path : Path
        The file.
    run : ParflowRun
        The run.
    """

    def __init__(self, path: Path, run: ParflowRun) -> None:
        self._path = Path(path)
        self._run = run
        self._active = run.settings.get("active")

    def __enter__(self) -> ParflowRecord:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = partial_path(self._path)
        self._file = netCDF4.Dataset(self._partial, "w")
        self._define()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            publish(self._partial, self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def _define(self) -> None:
        """Create dimensions, axes and variables."""
        file, settings = self._file, self._run.settings
        file.setncatts({
            "Conventions": CONVENTIONS,
            "title": f"ParFlow run {self._run.source.stem} in pyland",
            "source": f"pyland {pyland.__version__}",
            "parflow_definition": self._run.source.name,
        })
        thickness = np.asarray(settings["thickness"])
        bottom = np.cumsum(thickness)
        for name, size in (("time", None), ("step", None), ("layer", thickness.size), ("bounds", 2),
                           ("y", settings["ny"]), ("x", settings["nx"])):
            file.createDimension(name, size)
        self._add("time", "f8", ("time",), units="s", long_name="time of the run", axis="T")
        self._add("parflow_file", "i4", ("time",), long_name="number of ParFlow's file of this time, -1 for none")
        self._add("layer", "f8", ("layer",), units="m", long_name="depth of the middle of the layer", positive="down",
                  axis="Z", bounds="layer_bounds")[:] = bottom - 0.5 * thickness
        self._add("layer_bounds", "f8", ("layer", "bounds"))[:] = np.stack([bottom - thickness, bottom], axis=1)
        for axis in "yx":
            size, count = settings[f"d{axis}"], settings[f"n{axis}"]
            origin = "south" if axis == "y" else "west"
            self._add(axis, "f8", (axis,), units="m", long_name=f"distance from the {origin}")[:] = (
                size * (np.arange(count) + 0.5))
        for name, dimensions in _STATES.items():
            self._add(name, "f8", dimensions, zlib=True, **variable_attributes(name))
        for name, text in (("largest", "largest"), ("rms", "root mean square")):
            self._add(f"{name}_difference", "f8", ("time",), units="m",
                      long_name=f"{text} difference of pressure head from ParFlow's")
        self._add("step_end", "f8", ("step",), units="s", long_name="end of the step")
        self._add("discharge", "f8", ("step",), units="m3 s-1", long_name="overland flow out of the domain")
        self._add("surface_runoff", "f8", ("step",), units="m3 s-1",
                  long_name="water that leaves the surface in place, without overland flow")
        self._add("newton_iterations", "i4", ("step",), long_name="Newton iterations of the step")

    def _add(self, name: str, kind: str, dimensions: tuple[str, ...], *, zlib: bool = False, **attributes: Any) -> Any:
        is_axis = name in dimensions or dimensions == ("layer", "bounds")
        fill = None if is_axis else netCDF4.default_fillvals[kind]
        variable = self._file.createVariable(name, kind, dimensions, zlib=zlib, fill_value=fill)
        variable.setncatts({key: value if isinstance(value, (int, float)) else str(value)
                            for key, value in attributes.items()})
        return variable

    def write_state(self, flow: Any, time: float, number: int | None) -> None:
        """Append the state of a distributed subsurface at a time [s]."""
        at = len(self._file.dimensions["time"])
        self._file["time"][at] = time
        self._file["parflow_file"][at] = -1 if number is None else number
        fields = {"pressure_head": flow.pressure, "soil_water": flow.soil_water,
                  "surface_water": flow.surface_water, "water_table_depth": flow.water_table_depth}
        for name, values in fields.items():
            self._file[name][at] = self._masked(np.asarray(values))

    def _masked(self, values: np.ndarray) -> np.ndarray:
        """Mask cells that do not exist, and what is not defined."""
        absent = ~np.isfinite(values)
        if self._active is not None:
            exists = self._active if values.ndim == self._active.ndim else self._active.any(axis=0)
            absent |= ~exists
        return np.ma.masked_array(values, absent)

    def write_difference(self, found: PressureDifference) -> None:
        """Add how far the last state is from ParFlow's."""
        at = len(self._file.dimensions["time"]) - 1
        self._file["largest_difference"][at] = found.largest
        self._file["rms_difference"][at] = found.rms

    def write_step(self, time: float, out: Mapping[str, Any]) -> None:
        """Append what a step that ends at a time [s] gave."""
        at = len(self._file.dimensions["step"])
        area = self._run.settings["dx"] * self._run.settings["dy"]
        self._file["step_end"][at] = time
        self._file["discharge"][at] = np.sum(out["discharge"])
        self._file["surface_runoff"][at] = np.sum(out["surface_runoff"]) / WATER_DENSITY * area
        self._file["newton_iterations"][at] = int(out["newton_iterations"])

    def write_balance(self, balance: Mapping[str, float]) -> None:
        """Write the water of the whole run [m3] as attributes."""
        self._file.setncatts({f"balance_{name}": value for name, value in balance.items()})
