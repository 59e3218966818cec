"""Files of a calibration: chains, parameters of members for ``pyland run``, what prior and posterior predict."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import yaml

from pyland.assimilate.sampling import Chains
from pyland.base.registry import variable
from pyland.config import CaseConfig
from pyland.config.load import dump_case
from pyland.driver.calibration.problem import Number
from pyland.driver.calibration.targets import Target
from pyland.driver.setup import Setup
from pyland.output.atomic import complete_file

CHAIN, POSTERIOR, BEST = "chain.nc", "posterior.nc", "best.nc"
"""Draws; parameters of members; parameters of the best draw."""

PREDICTED = "predicted.nc"
"""What prior and posterior predict, with the observations."""

QUANTILES = (0.05, 0.5, 0.95)


def write_chains(
    path: Path, chains: Chains, burn_in: int, numbers: Sequence[Number], values: np.ndarray, prior: np.ndarray,
    attrs: Mapping[str, Any],
) -> None:
    """Write draws in the groups of arviz: ``posterior``, ``warmup_posterior``, ``sample_stats``, ``prior``.

    Parameters
    ----------
    path : Path
        File.
    chains : Chains
        All draws.
    burn_in : int
        Generations that are left out of the posterior.
    numbers : sequence of Number
        What the columns are.
    values : numpy.ndarray, shape (generation, chain, number)
        Draws in their units.
    prior : numpy.ndarray, shape (draw, number)
        Draws of the prior in their units.
    attrs : mapping
        Global attributes.
    """
    density = chains.log_densities - chains.log_densities.max()
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w") as data:
        data.setncatts(attrs)
        parts = {"posterior": slice(burn_in, None), "warmup_posterior": slice(0, burn_in)}
        for name, part in parts.items():
            _group(data, name, np.moveaxis(values[part], 1, 0), numbers)
        _group(data, "prior", prior[None], numbers)
        for name, part in {"sample_stats": slice(burn_in, None), "warmup_sample_stats": slice(0, burn_in)}.items():
            group = data.createGroup(name)
            _axes(group, *chains.log_densities[part].T.shape)
            stats = {"lp": chains.log_densities[part].T, "accepted": chains.accepted[part].T.astype("f8")}
            words = {"lp": "log posterior density of the standard normal numbers, up to a constant",
                     "accepted": "whether the chain moved"}
            for key, array in stats.items():
                field = group.createVariable(key, "f8", ("chain", "draw"))
                field[:] = array
                field.setncatts({"long_name": words[key], "units": "1"})
        data.setncattr("largest_log_density", float(chains.log_densities.max()))
        data.setncattr("draws_within_10_of_it", int((density > -10.0).sum()))


def _axes(group: netCDF4.Group, nchain: int, ndraw: int) -> None:
    for name, size in (("chain", nchain), ("draw", ndraw)):
        group.createDimension(name, size)
        group.createVariable(name, "i4", (name,))[:] = np.arange(size)


def _group(data: netCDF4.Dataset, name: str, values: np.ndarray, numbers: Sequence[Number]) -> None:
    """Write draws, (chain, draw, number), as one variable per number."""
    group = data.createGroup(name)
    _axes(group, *values.shape[:2])
    for place, number in enumerate(numbers):
        field = group.createVariable(file_name(number), "f8", ("chain", "draw"))
        field[:] = values[..., place]
        field.setncatts({"long_name": long_name(number), "units": number.units, "kind": number.kind,
                          "label": number.name})


def file_name(number: Number) -> str:
    """Return the name of a number in a file: letters, digits and underscores."""
    return re.sub(r"[^A-Za-z0-9_]", "_", number.name)


def long_name(number: Number) -> str:
    """Return words for a number."""
    if number.kind == "error":
        return "standard deviation of the error of " + number.name.partition(":")[2]
    words = str(variable(number.parameter).long_name) + number.name.removeprefix(number.parameter)
    return {"factor": "factor on the ", "shift": "shift of the "}.get(number.kind, "") + words


def write_members(path: Path, fields: Mapping[str, np.ndarray], setup: Setup, attrs: Mapping[str, Any]) -> None:
    """Write parameters of members as ``ensemble.parameters_file`` takes them.

    Parameters
    ----------
    path : Path
        File.
    fields : mapping of str to numpy.ndarray, shape ([layer or patch,] member, cell)
        By registry id.
    setup : Setup
        The run.
    attrs : mapping
        Global attributes.
    """
    domain, layers = setup.whole, setup.layers
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w") as data:
        data.setncatts(attrs)
        first = next(iter(fields.values()))
        data.createDimension("member", first.shape[-2])
        data.createDimension("cell", first.shape[-1])
        for name, values, units in (("latitude", domain.latitude, "degrees_north"),
                                    ("longitude", domain.longitude, "degrees_east")):
            field = data.createVariable(name, "f8", ("cell",))
            field[:] = values
            field.setncatts({"standard_name": name, "units": units})
        for name, values in fields.items():
            axis: tuple[str, ...] = ()
            if values.ndim == 3:
                axis = ("layer",) if values.shape[0] == layers.thickness.size else ("patch",)
                if axis[0] not in data.dimensions:
                    data.createDimension(axis[0], values.shape[0])
            about = variable(name)
            field = data.createVariable(name, "f8", (*axis, "member", "cell"))
            field[:] = values
            is_factor = name == "leaf_area_index"
            field.setncatts({"long_name": ("factor on the " if is_factor else "") + str(about.long_name),
                             "units": "1" if is_factor else about.units})


def write_best_case(folder: Path, config: CaseConfig, numbers: Mapping[str, str]) -> Path:
    """Write a case that runs with the best parameters, their values in its head."""
    data = yaml.safe_load(dump_case(config))
    data["ensemble"] = {"size": 1, "parameters_file": str((folder / BEST).absolute())}
    data["assimilation"], data["observations"], data["study"], data["calibrate"] = {"filter": "none"}, [], None, None
    data["case"]["name"] = f"{config.case.name}_best"
    head = ["# The case with the draw of the largest posterior density; `pyland run` takes this file."]
    head += [f"# {name}: {text}" for name, text in numbers.items()]
    path = folder / "best.yaml"
    with complete_file(path) as partial:
        partial.write_text("\n".join(head) + "\n" + yaml.safe_dump(data, sort_keys=False, allow_unicode=True,
                                                                   width=120), encoding="utf-8")
    return path


def write_predicted(
    path: Path, targets: Mapping[str, Sequence[Target]], predicted: Mapping[str, Sequence[np.ndarray]],
    rows: Mapping[str, slice], attrs: Mapping[str, Any],
) -> None:
    """Write what case, best, prior and posterior predict, one group per target.

    Parameters
    ----------
    path : Path
        File.
    targets : mapping of str to sequence of Target
        By period.
    predicted : mapping of str to sequence of numpy.ndarray, shape (member, obs)
        By period.
    rows : mapping of str to slice
        Members of ``case``, ``best``, ``prior`` and ``posterior``.
    attrs : mapping
        Global attributes.
    """
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w") as data:
        data.setncatts(attrs)
        for place, first in enumerate(next(iter(targets.values()))):
            group = data.createGroup(first.name)
            times = np.concatenate([one[place].times for one in targets.values()])
            group.createDimension("obs", times.size)
            group.createDimension("quantile", len(QUANTILES))
            group.createVariable("quantile", "f8", ("quantile",))[:] = QUANTILES
            field = group.createVariable("time", "i8", ("obs",))
            field[:] = times.astype("datetime64[s]").astype(np.int64)
            field.units = "seconds since 1970-01-01 00:00:00"
            columns = {
                "observed": np.concatenate([one[place].observed for one in targets.values()]),
                "error": np.concatenate([one[place].error for one in targets.values()]),
            }
            whole = np.concatenate([one[place] for one in predicted.values()], axis=1)
            columns |= {name: whole[rows[name]][0] for name in ("case", "best")}
            columns |= {f"{name}_mean": np.nanmean(whole[rows[name]], axis=0) for name in ("prior", "posterior")}
            for name, values in columns.items():
                field = group.createVariable(name, "f8", ("obs",))
                field[:] = values
                field.units = first.units
            for name in ("prior", "posterior"):
                field = group.createVariable(f"{name}_quantiles", "f8", ("quantile", "obs"))
                field[:] = np.nanquantile(whole[rows[name]], QUANTILES, axis=0)
                field.units = first.units
            period = group.createVariable("period", "i4", ("obs",))
            period[:] = np.concatenate([np.full(one[place].observed.size, number)
                                        for number, one in enumerate(targets.values())])
            period.flag_values = np.arange(len(targets), dtype=np.int32)
            period.flag_meanings = " ".join(targets)


__all__ = ["BEST", "CHAIN", "POSTERIOR", "PREDICTED", "long_name", "write_best_case", "write_chains", "write_members",
           "write_predicted"]
