"""``pyland vars``: the registry of variables as rows."""

from __future__ import annotations

from pyland.base.registry import variables

HEADER = ("id", "units", "role", "dims", "meaning", "CF standard name", "aliases")


def variable_rows(role: str | None = None, pattern: str | None = None) -> list[tuple[str, ...]]:
    """Return one row per variable, in the order of ``HEADER``.

    Parameters
    ----------
    role : str, optional
        ``forcing``, ``state``, ``flux`` or ``parameter``.
    pattern : str, optional
        Keep rows that contain this text in any column, whatever the case.

    Raises
    ------
    InputError
        If the role is unknown.
    """
    rows = []
    for item in variables(role):
        meaning = (
            item.long_name
            + (f"; {item.sign}" if item.sign else "")
            + (f"; positive {item.positive}" if item.positive else "")
        )
        aliases = ", ".join(f"{source} {alias}" for source, alias in item.aliases.items())
        row = (item.id, item.units, item.role, ", ".join(item.dims), meaning, item.standard_name or "", aliases)
        if pattern is None or any(pattern.lower() in cell.lower() for cell in row):
            rows.append(row)
    return rows
