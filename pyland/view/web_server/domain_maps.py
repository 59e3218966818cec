"""Static maps of a run: what ``domain.nc`` says of its cells, their areas and zones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.view.web_server.viewed_grid import ViewedGrid

_ZONE_FIELDS = {"zone": 0, "basin": 1, "land_cover": 0}
"""Fields whose codes are zones, and the least code that is one."""

_NOT_FIELDS = ("latitude", "longitude", "x", "y", "layer", "layer_bounds")
_NOT_SHOWN = ("cell_area", "downstream_cell")


class DomainMaps:
    """Fields of ``domain.nc`` on the cells of a run; runs of earlier versions have none but areas.

    Parameters
    ----------
    folder : Path or None
        Run directory; the one above is looked at, too, for parts of a run such as its open loop.
    grid : ViewedGrid
        Cells of the run.
    """

    def __init__(self, folder: Path | None, grid: ViewedGrid) -> None:
        self.grid = grid
        self.fields: dict[str, np.ndarray] = {}
        self._about: dict[str, dict[str, Any]] = {}
        for path in () if folder is None else (folder / "domain.nc", folder.parent / "domain.nc"):
            if path.is_file():
                self._read(path)
                break

    @property
    def area(self) -> np.ndarray:
        """Area of the modelled cells, (y, x) [m2]; 0 elsewhere."""
        known = self.fields.get("cell_area")
        area = self.grid.cell_area() if known is None else known
        return np.where(self.grid.is_active & np.isfinite(area), area, 0.0)

    def entry(self) -> dict[str, Any] | None:
        """Return what the index says of the static maps."""
        if not self.fields:
            return None
        return {"fields": [
            {"id": name, "label": self._about[name]["label"], "units": self._about[name]["units"],
             "classes": self._about[name]["classes"]} for name in self.fields if name not in _NOT_SHOWN]}

    def field(self, name: str) -> np.ndarray:
        """Return a static map, (y, x).

        Raises
        ------
        InputError
            If there is none of that name.
        """
        if name == "cell_area":
            return self.area
        if name not in self.fields:
            raise InputError(f"no static field '{name}'; there are {', '.join(self.fields) or 'none'}.")
        return self.fields[name]

    # ---- zones -------------------------------------------------------------------------------------

    def zone_entries(self) -> list[dict[str, Any]]:
        """Return all zones: the whole domain, then those of maps of zones and basins."""
        area = self.area
        if not area.any():
            return []
        out = [{"id": "all", "name": "all", "group": "all", "area": float(area.sum())}]
        for group, least in _ZONE_FIELDS.items():
            if group in self.fields:
                codes = self.fields[group]
                known = np.isfinite(codes) & (codes >= least) & (area > 0)
                for code in np.unique(codes[known]):
                    out.append({"id": f"{group}-{int(code)}", "name": self._zone_name(group, int(code)), "group": group,
                                "area": float(area[known & (codes == code)].sum())})
        return out

    def zone_cells(self, zone: str) -> np.ndarray:
        """Return the cells of a zone, bool of shape (y, x).

        Raises
        ------
        InputError
            If there is no such zone.
        """
        if zone == "all":
            return self.area > 0
        group, _, code = zone.partition("-")
        if group not in self.fields or group not in _ZONE_FIELDS or not code.isdigit():
            raise InputError(f"no zone '{zone}'; there are {', '.join(one['id'] for one in self.zone_entries())}.")
        return (self.fields[group] == int(code)) & (self.area > 0)

    # ---- inside ----------------------------------------------------------------------------------

    def _zone_name(self, group: str, code: int) -> str:
        words = {int(one["value"]): one["label"]["en"] for one in self._about[group]["classes"] or ()}
        return words.get(code, f"{group.replace('_', ' ')} {code}")

    def _read(self, path: Path) -> None:
        from pyland.view.web_server.names import variable_label
        from pyland.view.web_server.viewed_variables import flag_classes

        with NETCDF_ACCESS, netCDF4.Dataset(path) as file:
            for name, variable in file.variables.items():
                if name in _NOT_FIELDS or variable.dtype is str:
                    continue
                values = np.ma.filled(np.ma.asarray(variable[...]).astype(float), np.nan)
                if values.ndim and values.size == self.grid.latitude.size:
                    about = {key: variable.getncattr(key) for key in variable.ncattrs()}
                    self.fields[name] = values.reshape(self.grid.shape)
                    self._about[name] = {"label": variable_label(name, about), "units": about.get("units", ""),
                                         "classes": flag_classes(about)}
