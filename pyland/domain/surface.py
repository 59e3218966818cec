"""What covers the cells and what they are made of: patches, leaf area, texture and hydraulic parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.surface import (
    FRACTION_TOLERANCE,
    OTHER_SURFACES,
    RETENTION_PARAMETERS,
    AreaFileSection,
    PatchSection,
    ShareFileSection,
    SoilSection,
    SurfaceSection,
)
from pyland.config.texture import TextureSection
from pyland.domain.domain_file import read_field, read_soil_fields
from pyland.domain.grid import Domain
from pyland.domain.layers import Layers, map_profile
from pyland.domain.parflow_cover import read_cover
from pyland.domain.plant_area import AreaSeries, between_months, monthly_table, on_hemisphere, read_area
from pyland.domain.smooth_field import smooth_field
from pyland.domain.soil_hydraulics import hydraulic_parameters
from pyland.domain.soil_indicator import read_soil_classes


@dataclass(frozen=True)
class Surface:
    """Surface of the cells of a domain or of a tile.

    Attributes
    ----------
    sand, clay : numpy.ndarray, shape (layer, cell)
        Share of the mineral soil [%].
    organic : numpy.ndarray, shape (layer, cell)
        Organic share of the solids [1].
    retention : str
        Retention curve that ``hydraulic`` belongs to.
    hydraulic : mapping of str to numpy.ndarray, shape (layer, cell)
        Hydraulic parameters by registry id; ``specific_storage`` is there if a file gives it.
    soil_colour : numpy.ndarray of int, shape (cell,)
        Colour class, 1 to 20.
    patch_types : tuple of str
        Plant types of the run; of the patches that a case names, bare ground comes last where plants leave some.
    patch_kind : numpy.ndarray of int, shape (patch, cell)
        Which of ``patch_types`` a patch of a cell is: with patches of a case the same in all cells.
    patch_fraction : numpy.ndarray, shape (patch, cell)
        Share of the cell; sums to 1 [1].
    monthly_leaf_area, monthly_stem_area : numpy.ndarray, shape (12, patch, cell)
        Monthly means [1].
    canopy_top, canopy_bottom : numpy.ndarray, shape (patch, cell)
        Height of the canopy and of its lowest leaves [m].
    plant_parameters : tuple of mapping
        Per plant type, the parameters that replace those of its table, by registry id.
    root_profile : tuple of (float, float) or None
        Per plant type, the rates of a double exponential root profile [m-1]; None: that of ``root_beta``.
    other : mapping of str to numpy.ndarray, shape (cell,)
        Share of the cell of each surface beside soil that the run has [1], see ``other_surfaces``.
    lake_depth : numpy.ndarray, shape (cell,)
        Depth of the lake, if the cell has one [m]; empty in a run without lakes.
    leaf_series, stem_series : mapping of int to AreaSeries
        By patch, areas from files; they replace the monthly means.
    """

    sand: np.ndarray
    clay: np.ndarray
    organic: np.ndarray
    retention: str
    hydraulic: Mapping[str, np.ndarray]
    soil_colour: np.ndarray
    patch_types: tuple[str, ...]
    patch_kind: np.ndarray
    patch_fraction: np.ndarray
    monthly_leaf_area: np.ndarray
    monthly_stem_area: np.ndarray
    canopy_top: np.ndarray
    canopy_bottom: np.ndarray
    plant_parameters: tuple[Mapping[str, float], ...]
    root_profile: tuple[tuple[float, float] | None, ...]
    other: Mapping[str, np.ndarray] = field(default_factory=lambda: MappingProxyType({}))
    lake_depth: np.ndarray = field(default_factory=lambda: np.empty(0))
    leaf_series: Mapping[int, AreaSeries] = field(default_factory=lambda: MappingProxyType({}))
    stem_series: Mapping[int, AreaSeries] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def npatch(self) -> int:
        """Number of patches."""
        return self.patch_kind.shape[0]

    def leaf_area(self, time: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
        """Return leaf and stem area index at a time.

        Parameters
        ----------
        time : datetime64
            UTC.

        Returns
        -------
        tuple of numpy.ndarray, each of shape (patch, cell)
            Interpolated linearly between the middles of months, or between the values of a file [1].

        Raises
        ------
        InputError
            If a file does not cover the time.
        """
        first, second, weight = between_months(time)
        leaves, stems = (
            (1.0 - weight) * monthly[first] + weight * monthly[second]
            for monthly in (self.monthly_leaf_area, self.monthly_stem_area)
        )
        for areas, series in ((leaves, self.leaf_series), (stems, self.stem_series)):
            for patch, one in series.items():
                areas[patch] = one.at(time)
        return leaves, stems

    def subset(self, cells: slice | np.ndarray) -> Surface:
        """Return the surface of some of the cells."""
        names = (
            "sand",
            "clay",
            "organic",
            "soil_colour",
            "patch_kind",
            "patch_fraction",
            "monthly_leaf_area",
            "monthly_stem_area",
            "canopy_top",
            "canopy_bottom",
        )
        hydraulic = MappingProxyType({name: value[..., cells] for name, value in self.hydraulic.items()})
        other = MappingProxyType({name: value[cells] for name, value in self.other.items()})
        depth = self.lake_depth[cells] if self.lake_depth.size else self.lake_depth
        series = {
            name: MappingProxyType({patch: one.subset(cells) for patch, one in getattr(self, name).items()})
            for name in ("leaf_series", "stem_series")
        }
        return replace(self, hydraulic=hydraulic, other=other, lake_depth=depth, **series,
                       **{name: getattr(self, name)[..., cells] for name in names})


def build_surface(config: SurfaceSection, retention: str, domain: Domain, layers: Layers) -> Surface:
    """Build the surface of a domain or of a tile; a cell gets the same surface in both.

    Parameters
    ----------
    config : SurfaceSection
        Section ``surface`` of the case.
    retention : str
        ``subsurface.retention``.
    domain : Domain
        Cells; fields of a domain file go before the numbers of the section.
    layers : Layers
        Soil layers.

    Raises
    ------
    InputError
        If a list does not fit the layers, or texture and parameters contradict each other.
    """
    plants, domain = _with_cover(config, domain)
    if config.soil.file is not None:
        domain = _with_fields(domain, read_soil_fields(config.soil.file, domain))
    if config.soil.indicator is not None:
        domain = _with_fields(domain, read_soil_classes(config.soil.indicator, retention, domain, layers.nlayer))
    texture = _texture(config.soil.texture, domain, layers)
    hydraulic = hydraulic_parameters(retention, config.soil.pedotransfer, *texture, layers.node_depth)
    hydraulic |= _explicit_parameters(config.soil, retention, domain, layers)
    _check_hydraulic(hydraulic)
    colour = domain.fields.get("soil_colour", np.full(domain.ncell, config.soil.colour))
    return Surface(
        *texture,
        retention,
        MappingProxyType(hydraulic),
        np.rint(colour).astype(np.int64),
        other=_other_fractions(config, domain),
        lake_depth=np.array(_cell_values("lake_depth", config.lake_depth, domain)),
        **(plants or _patches(config.vegetation.patches, domain)),
    )


def _with_fields(domain: Domain, fields: Mapping[str, np.ndarray]) -> Domain:
    """Return a domain with more surface fields, which go before those it has."""
    return replace(domain, fields=MappingProxyType({**domain.fields, **fields}))


def _with_cover(config: SurfaceSection, domain: Domain) -> tuple[Mapping[str, Any] | None, Domain]:
    """Return what grows by a map of ParFlow-CLM, or None, and the domain with the soil and surfaces of the map."""
    if config.vegetation.parflow is None:
        return None, domain
    cover = read_cover(config.vegetation.parflow, domain)
    return cover.patches, _with_fields(domain, cover.fields)


def _patches(given: list[PatchSection], domain: Domain) -> dict[str, Any]:
    """Return the patches that a case names; each is the same plant in all cells."""
    patches = list(given)
    fraction = np.stack([_share(patch, domain) for patch in patches])
    total = fraction.sum(axis=0)
    if (total > 1.0 + FRACTION_TOLERANCE).any():
        raise InputError(f"surface.vegetation.patches: the shares of a cell must not exceed 1 together, got "
                         f"{total.max():.6g} in cell {int(np.argmax(total))}.")
    bare = 1.0 - total
    has_maps = any(isinstance(patch.fraction, ShareFileSection) for patch in patches)
    if has_maps or (bare > FRACTION_TOLERANCE).any():  # with maps whatever they leave: all tiles have the same patches
        patches.append(PatchSection(type="bare_ground", fraction=1.0, leaf_area_index=0.0, stem_area_index=0.0))
        fraction = np.concatenate([fraction, np.maximum(bare, 0.0)[None]])
    fraction /= fraction.sum(axis=0)
    bottoms, tops = np.array([patch.heights for patch in patches]).T
    cells = np.ones(domain.ncell)
    return {
        "patch_types": tuple(patch.type for patch in patches),
        "patch_kind": np.repeat(np.arange(len(patches))[:, None], domain.ncell, axis=1),
        "patch_fraction": fraction,
        "monthly_leaf_area": _monthly(patches, "leaf_area_index", domain),
        "monthly_stem_area": _monthly(patches, "stem_area_index", domain),
        "canopy_top": tops[:, None] * cells,
        "canopy_bottom": bottoms[:, None] * cells,
        "plant_parameters": tuple(MappingProxyType(dict(patch.parameters)) for patch in patches),
        "root_profile": (None,) * len(patches),
        "leaf_series": _series(patches, "leaf_area_index", domain),
        "stem_series": _series(patches, "stem_area_index", domain),
    }


def _share(patch: PatchSection, domain: Domain) -> np.ndarray:
    """Return the share of a patch, (cell,) [1]: a number, or from a file."""
    given = patch.fraction
    if not isinstance(given, ShareFileSection):
        return np.full(domain.ncell, float(given))
    share = read_field(given.file, given.variable, domain.ny, domain.nx, "1").ravel()[domain.cell_id]
    if not ((share >= 0.0) & (share <= 1.0)).all():
        raise InputError(f"{given.file}: {given.variable} must be a share between 0 and 1 in every cell, got "
                         f"{share.min():g} to {share.max():g}.")
    return share


def other_surfaces(config: SurfaceSection, domain: Domain) -> tuple[str, ...]:
    """Return the surfaces beside soil that some cell of a domain has: lake and others."""
    _, domain = _with_cover(config, domain)
    return tuple(name for name in OTHER_SURFACES
                 if (_cell_values(f"{name}_fraction", getattr(config, name), domain) > 0.0).any())


def mean_lake_depth(config: SurfaceSection, domain: Domain) -> float:
    """Return the depth of lakes, mean over the lake area of a domain that has lakes [m]."""
    _, domain = _with_cover(config, domain)
    share = _cell_values("lake_fraction", config.lake, domain)
    return float((share * _cell_values("lake_depth", config.lake_depth, domain)).sum() / share.sum())


def _cell_values(name: str, value: float, domain: Domain) -> np.ndarray:
    """Return a field of the domain file, or a number for all cells."""
    given = domain.fields.get(name, np.full(domain.ncell, value))
    if given.ndim != 1:
        raise InputError(f"the domain file gives {name} on layers; expected (y, x).")
    return given


def _other_fractions(config: SurfaceSection, domain: Domain) -> Mapping[str, np.ndarray]:
    """Return the shares of the surfaces beside soil, and check them."""
    out = {name: _cell_values(f"{name}_fraction", getattr(config, name), domain) for name in OTHER_SURFACES}
    total = sum(out.values())
    if (total > 1.0 + FRACTION_TOLERANCE).any():
        raise InputError(
            f"surface: the shares of {', '.join(OTHER_SURFACES)} must not exceed 1 together, got {total.max():.6g} in "
            f"cell {int(np.argmax(total))}.")
    return MappingProxyType({name: np.array(values, dtype=float) for name, values in out.items()})


def _monthly(patches: list[PatchSection], name: str, domain: Domain) -> np.ndarray:
    """Return monthly areas, shape (12, patch, cell): as given, or from the table of the plant type."""
    place = 0 if name == "leaf_area_index" else 1
    columns = []
    for patch in patches:
        given = patch.monthly(name)
        columns.append(
            on_hemisphere(monthly_table(patch.type)[place], domain.latitude)
            if given is None
            else np.array(given)[:, None] * np.ones(domain.ncell)
        )
    return np.stack(columns, axis=1)


def _series(patches: list[PatchSection], name: str, domain: Domain) -> Mapping[int, AreaSeries]:
    """Return the areas that patches take from files, by patch."""
    given = {place: getattr(patch, name) for place, patch in enumerate(patches) if patch.type != "bare_ground"}
    return MappingProxyType({
        place: read_area(value.file, value.variable, domain, name)
        for place, value in given.items()
        if isinstance(value, AreaFileSection)
    })


def _texture(config: TextureSection, domain: Domain, layers: Layers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sand and clay [%] and organic share [1], each (layer, cell)."""
    organic = _profile("organic", config.organic_share, config.bottom, domain, layers)
    if config.generate is not None:
        made = config.generate
        # one field: where there is more sand there is less clay
        field = smooth_field(domain.x, domain.y, made.length, made.seed, "texture")
        sand = np.clip(made.sand + made.spread * field, 0.0, 100.0)
        clay = np.minimum(np.clip(made.clay - 0.5 * made.spread * field, 0.0, 100.0), 100.0 - sand)
        rows = np.ones((layers.nlayer, 1))
        return rows * sand, rows * clay, organic
    sand, clay = (_profile(name, getattr(config, name), config.bottom, domain, layers) for name in ("sand", "clay"))
    too_much = (sand + clay).max()
    if too_much > 100.0:
        raise InputError(f"surface.soil.texture: sand and clay must not exceed 100 % together, got {too_much:g} %.")
    return sand, clay, organic


def _profile(
    name: str, value: float | list[float], bottom: list[float] | None, domain: Domain, layers: Layers
) -> np.ndarray:
    """Return a parameter on all layers and cells: from the domain file, a list or a number."""
    shape = (layers.nlayer, domain.ncell)
    if name in domain.fields:
        given = domain.fields[name]
        if given.ndim == 2 and given.shape[0] != layers.nlayer:
            raise InputError(
                f"the domain file gives {name} on {given.shape[0]} layers; domain.layers has {layers.nlayer}."
            )
        return np.array(np.broadcast_to(given, shape))
    if not isinstance(value, list):
        return np.full(shape, float(value))
    if bottom is not None:
        column = map_profile(value, bottom, layers.thickness)
    elif len(value) == layers.nlayer:
        column = np.array(value, dtype=float)
    else:
        raise InputError(
            f"surface.soil: {name} has {len(value)} values for {layers.nlayer} soil layers; give one per layer, or "
            "texture.bottom with the depth of each."
        )
    return np.repeat(column[:, None], domain.ncell, axis=1)


def _explicit_parameters(config: SoilSection, retention: str, domain: Domain, layers: Layers) -> dict[str, np.ndarray]:
    """Return the hydraulic parameters that the case or the domain file gives, each (layer, cell)."""
    known = (*RETENTION_PARAMETERS[retention], "specific_storage")
    names = [name for name in known if name in config.parameters or name in domain.fields]
    return {
        name: _profile(name, config.parameters.get(name, 0.0), config.texture.bottom, domain, layers) for name in names
    }


def _check_hydraulic(hydraulic: Mapping[str, np.ndarray]) -> None:
    for name, values in hydraulic.items():
        variable(name).check_range(values, "surface.soil: hydraulic parameters")
    if "residual_water" in hydraulic:
        room = hydraulic["porosity"] - hydraulic["residual_water"]
        if (room <= 0).any():
            raise InputError(
                "surface.soil: residual_water must be smaller than porosity; the smallest difference is "
                f"{room.min():.4g} m3 m-3."
            )
