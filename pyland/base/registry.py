"""Registry of variables: names, units, meaning. Attributes, documentation and unit checks come from here."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import suggestion
from pyland.base.units import convert

ROLES = ("forcing", "state", "flux", "parameter")


@dataclass(frozen=True)
class Variable:
    """One entry of ``variables.yaml``.

    Attributes
    ----------
    id : str
        Name in Python, Fortran and output files.
    long_name, units : str
        Meaning and SI unit.
    role : str
        ``forcing``, ``state``, ``flux`` (a result) or ``parameter``.
    dims : tuple of str
        Dimensions of the Python view.
    standard_name : str or None
        CF standard name, only where the CF table has one.
    aliases : mapping
        Names elsewhere: ``cmip6``, ``clm``, ``alma``, ``parflow``.
    valid_range : tuple of float or None
        Physically possible values [units].
    positive : str or None
        CF attribute ``positive`` of a vertical flux: ``up`` or ``down``.
    sign : str or None
        Sign convention in words.
    cell_methods : str or None
        CF ``cell_methods`` of a time-mean output.
    """

    id: str
    long_name: str
    units: str
    role: str
    dims: tuple[str, ...]
    standard_name: str | None = None
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    valid_range: tuple[float, float] | None = None
    positive: str | None = None
    sign: str | None = None
    cell_methods: str | None = None

    def check_range(self, values: np.ndarray, where: str) -> None:
        """Raise InputError if a value is not finite or outside the valid range; ``where`` names the source."""
        values = np.asarray(values)
        low, high = self.valid_range or (-np.inf, np.inf)
        wrong = ~(np.isfinite(values) & (values >= low) & (values <= high))
        if wrong.any():
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), values.shape))
            raise InputError(
                f"{where}: {self.id} must lie between {low:g} and {high:g} {self.units}, got "
                f"{values[index]:g} at index {index} ({int(wrong.sum())} of {values.size} values are wrong)."
            )


@functools.cache
def _table() -> Mapping[str, Variable]:
    import yaml

    text = resources.files("pyland.base").joinpath("variables.yaml").read_text(encoding="utf-8")
    table = {}
    for name, entry in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)).items():
        entry = dict(entry)
        entry["dims"] = tuple(entry["dims"])
        entry["aliases"] = MappingProxyType(entry.get("aliases", {}))
        entry["units"] = str(entry["units"])
        if "valid_range" in entry:
            entry["valid_range"] = tuple(float(bound) for bound in entry["valid_range"])
        table[name] = Variable(id=name, **entry)
    return MappingProxyType(table)


@functools.cache
def _aliases() -> Mapping[str, str]:
    """Return id by alias; the first entry of the file that claims an alias has it."""
    found: dict[str, str] = {}
    for item in _table().values():
        for alias in item.aliases.values():
            found.setdefault(alias, item.id)
    return MappingProxyType(found)


def variable(name: str) -> Variable:
    """Return the entry of an id or alias.

    Raises
    ------
    InputError
        If the name is unknown; the message suggests the nearest one.
    """
    table = _table()
    if name in table:
        return table[name]
    if name in _aliases():
        return table[_aliases()[name]]
    hint = suggestion(str(name), [*table, *_aliases()])
    raise InputError(f"variable '{name}' is not known{hint or '.'} `pyland vars` lists all.")


def variables(role: str | None = None) -> tuple[Variable, ...]:
    """Return all entries, or those of one role, in the order of the file."""
    if role is not None and role not in ROLES:
        raise InputError(f"role '{role}' is not known; expected one of {', '.join(ROLES)}.")
    return tuple(item for item in _table().values() if role in (None, item.role))


def is_variable(name: str) -> bool:
    """Tell whether a name is an id or an alias of the registry."""
    return name in _table() or name in _aliases()


def attributes(name: str) -> dict[str, str]:
    """Return the netCDF attributes of a variable.

    ``long_name``, ``units`` and, where they exist, ``standard_name``, ``positive``, ``cell_methods``, ``comment`` (the
    sign convention), ``units_metadata`` (of temperatures), ``cmip6_name``, ``clm_name``, ``alma_name`` and
    ``parflow_name``.
    """
    item = variable(name)
    result = {"long_name": item.long_name, "units": item.units}
    optional = {
        "standard_name": item.standard_name,
        "positive": item.positive,
        "cell_methods": item.cell_methods,
        "comment": item.sign,
    }
    result |= {key: value for key, value in optional.items() if value is not None}
    if item.units == "K":
        result["units_metadata"] = "temperature: on_scale"
    return result | {f"{source}_name": alias for source, alias in item.aliases.items()}


__all__ = ["ROLES", "Variable", "attributes", "convert", "is_variable", "variable", "variables"]
