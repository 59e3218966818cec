"""What a station file says of its place: position, heights, vegetation, leaf area, soil."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.forcing import netcdf_input

# Bottoms of the ten soil layers of CLM4.5 and CoLM [m]: node depths 0.025 (exp(0.5 (i-0.5)) - 1), interfaces half way
# (Oleson et al. 2013, NCAR/TN-503, eq. 6.5-6.7).
SOIL_LAYER_BOTTOMS = (0.0175, 0.0451, 0.0906, 0.1655, 0.2891, 0.4929, 0.8289, 1.3828, 2.2961, 3.4331)

# Sand and clay of the texture classes [%]: Cosby et al. (1984), Water Resour. Res. 20, 682-690, table 2.
TEXTURE_CLASSES: dict[str, tuple[float, float]] = {
    "sandy clay loam": (58.0, 27.0),
    "silty clay loam": (10.0, 34.0),
    "loamy sand": (82.0, 6.0),
    "sandy loam": (58.0, 10.0),
    "silt loam": (17.0, 13.0),
    "clay loam": (32.0, 34.0),
    "sandy clay": (52.0, 42.0),
    "silty clay": (6.0, 47.0),
    "loam": (43.0, 18.0),
    "sand": (92.0, 3.0),
    "clay": (22.0, 58.0),
}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LARGEST_LEAF_AREA = 12.0  # one-sided leaf area index of the densest canopies [1]; larger numbers in notes are others
_PERCENT = 100.0


@dataclass(frozen=True)
class SiteDescription:
    """A station as its file describes it; None where the file is silent.

    Attributes
    ----------
    name : str
        Station code.
    latitude, longitude, elevation : float or None
        [degrees north], [degrees east], [m].
    reference_height, temperature_height : float or None
        Height of the wind and of the temperature sensor above ground [m].
    canopy_top : float or None
        Height of the vegetation [m].
    plant_type : int or None
        CLM plant functional type, 0 (bare) to 16.
    vegetation : str or None
        Vegetation in words.
    leaf_area_index : tuple of float or None
        Twelve monthly one-sided values [m2 m-2].
    soil_bottom : tuple of float or None
        Depth of the bottom of each soil layer [m]; one value (the deepest) if the soil is taken as uniform.
    sand, clay : tuple of float or None
        Per soil layer [%].
    organic : tuple of float or None
        Organic matter density per soil layer [kg m-3].
    soil_note : str or None
        Soil in words.
    utc_offset : float
        Local standard time minus UTC [h].
    start, end : numpy.datetime64
        Time cover, UTC.
    interval : int
        Length of the averaging interval [s].
    found : dict of str to str
        Where leaf area and soil come from, in words; for the comments of a new case.
    notes : str
        Notes of the file.
    """

    name: str
    latitude: float | None
    longitude: float | None
    elevation: float | None
    reference_height: float | None
    temperature_height: float | None
    canopy_top: float | None
    plant_type: int | None
    vegetation: str | None
    leaf_area_index: tuple[float, ...] | None
    soil_bottom: tuple[float, ...] | None
    sand: tuple[float, ...] | None
    clay: tuple[float, ...] | None
    organic: tuple[float, ...] | None
    soil_note: str | None
    utc_offset: float
    start: np.datetime64
    end: np.datetime64
    interval: int
    found: dict[str, str] = field(default_factory=dict)
    notes: str = ""


def read_site(path: str | Path) -> SiteDescription:
    """Read the description of a station from its ALMA-like file.

    Parameters
    ----------
    path : str or Path
        NetCDF file.

    Returns
    -------
    SiteDescription
        Everything that the attributes and variables say; the time axis is checked.

    Raises
    ------
    InputError
        If the file cannot be read or its time axis is not regular.
    """
    file = str(path)
    found: dict[str, str] = {}
    with netcdf_input.open_input(path) as dataset:
        axis = netcdf_input.read_time_axis(dataset, file)
        soil = _read_soil(dataset, file, found)
        return SiteDescription(
            name=str(dataset.attrs.get("site", Path(path).stem)),
            latitude=_number(dataset, netcdf_input.LATITUDE_NAMES, file),
            longitude=_number(dataset, netcdf_input.LONGITUDE_NAMES, file),
            elevation=_number(dataset, netcdf_input.ELEVATION_NAMES, file),
            reference_height=_number(dataset, netcdf_input.HEIGHT_NAMES, file),
            temperature_height=_number(dataset, ("z_meas_T_m",), file),
            canopy_top=_number(dataset, ("canopy_top_m", "canopy_height"), file),
            plant_type=_plant_type(dataset, file),
            vegetation=_text(dataset, "veg"),
            leaf_area_index=_read_leaf_area(dataset, file, found),
            soil_bottom=soil.get("bottom"),
            sand=soil.get("sand"),
            clay=soil.get("clay"),
            organic=soil.get("organic"),
            soil_note=_text(dataset, "soil_note"),
            utc_offset=_number(dataset, ("utc_offset_h",), file) or 0.0,
            start=axis.start,
            end=axis.start + np.timedelta64(axis.interval * axis.count, "s"),
            interval=axis.interval,
            found=found,
            notes=_text(dataset, "notes") or "",
        )


def leaf_area_from_note(note: str) -> tuple[float, ...] | None:
    """Monthly leaf area index from a note in words.

    Parameters
    ----------
    note : str
        For instance ``"0.2-0.4 dry, ~1 peak (Aug-Sep)"``: the middle of the first range holds all year, the peak in its
        months.

    Returns
    -------
    tuple of float or None
        Twelve values [m2 m-2]; None if there is no range of plausible values.
    """
    for match in re.finditer(r"(?<![\d.-])(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)(?![\d.])", note):
        low, high = float(match[1]), float(match[2])
        if low <= high <= _LARGEST_LEAF_AREA:
            break
    else:
        return None
    monthly = [round(0.5 * (low + high), 4)] * 12
    peak = re.search(r"(\d+(?:\.\d+)?)[^\d()]*peak\s*\(([A-Za-z]{3})\w*\s*-\s*([A-Za-z]{3})\w*\)", note)
    if peak and float(peak[1]) <= _LARGEST_LEAF_AREA and {peak[2].lower(), peak[3].lower()} <= set(_MONTHS):
        first, last = _MONTHS.index(peak[2].lower()), _MONTHS.index(peak[3].lower())
        for month in range(first, first + (last - first) % 12 + 1):
            monthly[month % 12] = float(peak[1])
    return tuple(monthly)


def texture_from_note(note: str) -> tuple[float, float, str] | None:
    """Sand and clay [%] from a note in words.

    Parameters
    ----------
    note : str
        Percentages (``"30% clay 60% sand"``) or the name of a texture class (``"podzol on sandy loam"``).

    Returns
    -------
    tuple or None
        Sand, clay, and how they were found; None if the note has neither.
    """
    percentages = re.findall(r"(\d+(?:\.\d+)?)\s*%\s*(sand|clay|silt)", note, re.IGNORECASE)
    shares = {kind.lower(): float(value) for value, kind in percentages}
    if len(shares) >= 2:
        sand = shares.get("sand", _PERCENT - shares.get("clay", 0.0) - shares.get("silt", 0.0))
        clay = shares.get("clay", _PERCENT - shares.get("sand", 0.0) - shares.get("silt", 0.0))
        if sand >= 0.0 and clay >= 0.0 and sand + clay <= _PERCENT:
            return sand, clay, "percentages of soil_note"
    for name, (sand, clay) in TEXTURE_CLASSES.items():
        if re.search(rf"\b{name}\b", note, re.IGNORECASE):
            return sand, clay, f"texture class '{name}' of soil_note (means of Cosby et al. 1984)"
    return None


def _text(dataset: xr.Dataset, name: str) -> str | None:
    text = str(dataset.attrs.get(name, "")).strip()
    return text or None


def _number(dataset: xr.Dataset, names: tuple[str, ...], file: str) -> float | None:
    found = netcdf_input.find_number(dataset, names, file)
    if found is None or found.size == 0 or not np.isfinite(found.reshape(-1)[0]):
        return None
    return float(found.reshape(-1)[0])


def _plant_type(dataset: xr.Dataset, file: str) -> int | None:
    number = _number(dataset, ("pft_clm",), file)
    return None if number is None else int(number)


def _read_leaf_area(dataset: xr.Dataset, file: str, found: dict[str, str]) -> tuple[float, ...] | None:
    if "LAI_monthly" in dataset.variables:
        values = netcdf_input.read_values(dataset["LAI_monthly"], file).reshape(-1)
        if values.size != 12 or not np.all((values >= 0.0) & (values <= _LARGEST_LEAF_AREA)):
            raise InputError(
                f"{file}: LAI_monthly must hold 12 values within 0 and {_LARGEST_LEAF_AREA:g}, got {values}")
        found["leaf_area_index"] = "variable LAI_monthly"
        return tuple(round(float(v), 4) for v in values)
    if "LAI_obs" in dataset.variables:
        monthly = _monthly_observations(dataset, file)
        if monthly is not None:
            found["leaf_area_index"] = (
                "monthly means of the variable LAI_obs; its smallest value in months without observations")
            return monthly
    note = _text(dataset, "LAI_note")
    monthly = leaf_area_from_note(note) if note else None
    if monthly is not None:
        found["leaf_area_index"] = f"LAI_note '{note}'"
    return monthly


def _monthly_observations(dataset: xr.Dataset, file: str) -> tuple[float, ...] | None:
    """Monthly means of dated leaf area observations; the smallest one (dormant season) in other months."""
    dimension = str(dataset["LAI_obs"].dims[0])
    if dimension not in dataset.variables:
        return None
    stamps = xr.decode_cf(dataset[[dimension]])[dimension].values
    values = netcdf_input.read_values(dataset["LAI_obs"], file)
    good = np.isfinite(values) & ~np.isnat(stamps)
    if not good.any():
        return None
    values = values[good]
    months = stamps[good].astype("datetime64[M]").astype(np.int64) % 12
    smallest = values.min()
    return tuple(
        round(float(values[months == m].mean()) if np.any(months == m) else float(smallest), 4) for m in range(12))


def _read_soil(dataset: xr.Dataset, file: str, found: dict[str, str]) -> dict[str, tuple[float, ...]]:
    """Bottoms, sand, clay and organic matter from a table of layers, else from the note."""
    if "soil_clm10" in dataset.attrs:
        try:
            table = {k: tuple(float(x) for x in v) for k, v in json.loads(str(dataset.attrs["soil_clm10"])).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{file}: the attribute soil_clm10 is not a JSON table of numbers ({error})") from error
        if {"sand_pct", "clay_pct"} <= table.keys():
            found["soil"] = "attribute soil_clm10 (ten CLM layers)"
            soil = {"bottom": SOIL_LAYER_BOTTOMS[: len(table["sand_pct"])],
                    "sand": table["sand_pct"], "clay": table["clay_pct"]}  # fmt: skip
            if "organic_kgm3" in table:
                soil["organic"] = table["organic_kgm3"]
            return soil
    note = _text(dataset, "soil_note")
    texture = texture_from_note(note) if note else None
    if texture is None:
        return {}
    sand, clay, how = texture
    soil = {"bottom": SOIL_LAYER_BOTTOMS[-1:], "sand": (sand,), "clay": (clay,)}
    found["soil"] = how
    if "soil_wf_sand" in dataset.variables:  # CoLM profile: sand by mass, clay not given
        profile = netcdf_input.read_values(dataset["soil_wf_sand"], file).reshape(-1)
        if profile.size == len(SOIL_LAYER_BOTTOMS) and np.all((profile >= 0.0) & (profile <= 1.0)):
            percent = tuple(round(_PERCENT * float(p), 2) for p in profile)
            soil = {"bottom": SOIL_LAYER_BOTTOMS, "sand": percent,
                    "clay": tuple(min(clay, _PERCENT - p) for p in percent)}  # fmt: skip
            found["soil"] = f"sand of the variable soil_wf_sand, clay of the {how}"
    if "soil_OM_density" in dataset.variables and len(soil["bottom"]) == len(SOIL_LAYER_BOTTOMS):
        organic = netcdf_input.read_values(dataset["soil_OM_density"], file).reshape(-1)
        if organic.size == len(SOIL_LAYER_BOTTOMS) and np.all(organic >= 0.0):
            soil["organic"] = tuple(round(float(o), 3) for o in organic)
    return soil
