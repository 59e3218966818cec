"""Calibrated parameters: standard normal numbers in, fields of the members out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pyland.assimilate.sampling import LognormalPrior, NormalPrior, Prior, QuantilePrior, UniformPrior
from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.calibration import CalibrateSection
from pyland.config.calibration_prior import PriorSection
from pyland.config.ensemble import PLANT_NAMES
from pyland.domain.rosetta_estimate import rosetta_estimate
from pyland.driver.member_parameters import range_of
from pyland.driver.setup import Setup
from pyland.ensemble.random_fields import RandomField

PURPOSE = "calibration:"
"""Begins the names of the random numbers of prior fields."""


@dataclass(frozen=True)
class Block:
    """One parameter among the standard normal numbers of a member.

    Attributes
    ----------
    name : str
        Registry id.
    kind : str
        ``value``, ``factor`` or ``shift``.
    prior : Prior
        Of each number.
    columns : slice
        Its numbers: one, one for each cell, or one for each group of layers.
    length_scale : float or None
        Correlation length of a field [m]; None: one number for all cells.
    edges : tuple of float
        Depths between groups of layers [m].
    """

    name: str
    kind: str
    prior: Prior
    columns: slice
    length_scale: float | None
    edges: tuple[float, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its numbers; a field has one."""
        if not self.edges:
            return (self.name,)
        bounds = [f"{100.0 * one:g}" for one in (0.0, *self.edges)]
        between = [f"{self.name} {top}-{bottom} cm" for top, bottom in zip(bounds, bounds[1:], strict=False)]
        return (*between, f"{self.name} below {bounds[-1]} cm")

    @property
    def units(self) -> str:
        """Unit of the number: that of the parameter, or 1 for a factor."""
        return "1" if self.kind == "factor" else variable(self.name).units


class CalibratedParameters:
    """Parameters that are estimated, and the fields of the case that they change.

    Parameters
    ----------
    section : CalibrateSection
        Which they are.
    setup : Setup
        The case.
    plants : mapping of str to numpy.ndarray, shape ([patch,] cell)
        Plant parameters of the case by registry id, as far as they are calibrated.

    Attributes
    ----------
    blocks : tuple of Block
        The parameters in the order of the case.
    size : int
        Standard normal numbers of a member.
    """

    def __init__(self, section: CalibrateSection, setup: Setup, plants: Mapping[str, np.ndarray]) -> None:
        surface, domain = setup.surface, setup.domain
        soil = {"sand": surface.sand, "clay": surface.clay, "organic": surface.organic, **surface.hydraulic}
        self._base = {name: np.asarray((plants if name in PLANT_NAMES else soil)[name], dtype=float)
                      for name in section.parameters}
        self._others = {name: np.asarray(soil[name], dtype=float) for name in ("porosity", "residual_water")
                        if name in soil}
        self._domain, self._depth = domain, np.asarray(setup.layers.node_depth)
        blocks, first = [], 0
        for name, one in section.parameters.items():
            edges = tuple(one.breaks or ())
            size = 1 + len(edges) if one.length_scale is None else domain.ncell
            prior = build_prior(name, one.prior, float(surface.sand.mean()), float(surface.clay.mean()))
            blocks.append(Block(name, one.kind, prior, slice(first, first + size), one.length_scale,
                                edges))
            first += size
        self.blocks, self.size = tuple(blocks), first

    @property
    def names(self) -> tuple[str, ...]:
        """Registry ids."""
        return tuple(block.name for block in self.blocks)

    def draw(self, count: int, seed: int, purpose: str) -> np.ndarray:
        """Draw standard normal numbers of members from the prior, (member, number); fields are correlated in space.

        Parameters
        ----------
        count : int
            Members.
        seed : int
            Seed.
        purpose : str
            Distinguishes draws of one seed.
        """
        members, domain = np.arange(count), self._domain
        out = np.empty((count, self.size))
        for block in self.blocks:
            name = f"{PURPOSE}{purpose}:{block.name}"
            if block.length_scale is None:
                place = np.arange(block.columns.stop - block.columns.start)
                field = RandomField(np.zeros(place.size), np.zeros(place.size), place, 0.0)
            else:
                field = RandomField(domain.x, domain.y, domain.cell_id, block.length_scale)
            out[:, block.columns] = field.sample(seed, name, members, 0)[0]
        return out

    def values(self, standard: np.ndarray) -> dict[str, np.ndarray]:
        """Return the numbers of the priors, (member, number of the block) by registry id, from standard ones."""
        return {block.name: block.prior.from_standard(standard[:, block.columns]) for block in self.blocks}

    def fields(self, standard: np.ndarray) -> dict[str, np.ndarray]:
        """Return the fields of members, ([layer or patch,] member, cell) by registry id, from standard numbers."""
        out = {}
        for block, number in zip(self.blocks, self.values(standard).values(), strict=True):
            base = self._base[block.name][..., None, :]
            value = number
            if block.edges:
                group = np.searchsorted(block.edges, self._depth[:base.shape[0]], side="right")
                value = number.T[group][..., None]
            if block.kind == "factor":
                out[block.name] = base * value
            elif block.kind == "shift":
                out[block.name] = base + value
            else:
                out[block.name] = np.zeros_like(base) + value
        return out

    def as_they_are(self) -> dict[str, np.ndarray]:
        """Return the fields of the case itself, ([layer or patch,] 1, cell) by registry id."""
        return {name: field[..., None, :].copy() for name, field in self._base.items()}

    def are_possible(self, fields: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell which members, (member,), lie within the ranges of the registry, with pores above residual water."""
        first = next(iter(fields.values()))
        good = np.ones(first.shape[-2], dtype=bool)
        for name, field in fields.items():
            low, high = range_of(name)
            inside = (field >= low) & (field <= high)
            good &= inside.all(axis=tuple(axis for axis in range(field.ndim) if axis != field.ndim - 2))
        if {"porosity", "residual_water"} & fields.keys() and "residual_water" in self._others:
            pores, residual = (fields.get(name, self._others[name][:, None, :])
                               for name in ("porosity", "residual_water"))
            good &= (pores > residual).all(axis=(0, 2))
        return good

    def places(self) -> np.ndarray:
        """Return the coordinates of all numbers, (number, 2) [m], y first; for localisation, where all are fields."""
        place = np.column_stack([self._domain.y, self._domain.x])
        return np.concatenate([place for _ in self.blocks])


def build_prior(name: str, section: PriorSection, sand: float, clay: float) -> Prior:
    """Return the prior that a case describes.

    Parameters
    ----------
    name : str
        Registry id.
    section : PriorSection
        The description.
    sand, clay : float
        Mean texture of the soil [%], for Rosetta.
    """
    low, high = (-np.inf if section.low is None else section.low), (np.inf if section.high is None else section.high)
    kind = section.distribution
    if kind == "normal":
        return NormalPrior(section.mean, section.std, low, high)
    if kind == "lognormal":
        return LognormalPrior(section.median, section.std, max(low, 0.0), high)
    if kind in ("uniform", "log_uniform"):
        return UniformPrior(low, high, kind == "log_uniform")
    if kind == "quantiles":
        return QuantilePrior(section.q05, section.q50, section.q95, section.logarithm)
    estimate = rosetta_estimate(sand, clay, section.bulk_density)
    if name not in estimate:
        raise InputError(f"calibrate.parameters.{name}: Rosetta estimates {', '.join(estimate)}, not this parameter.")
    one, (low, high) = estimate[name], range_of(name)
    if one.is_log:
        return LognormalPrior(one.median, section.widened * one.std, low, high)
    return NormalPrior(one.median, section.widened * one.std, low, high)


__all__ = ["Block", "CalibratedParameters", "build_prior"]
