"""``pyland diagnose CASE balance``: closure of a run, and its water, energy and carbon per zone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.config.diagnose_balance import BalanceSection
from pyland.diagnose.balance import closure
from pyland.diagnose.balance_table import BalanceTable, balance_table
from pyland.diagnose.balance_text import table_csv, table_numbers, table_text
from pyland.diagnose.domain_table import domain_balance_table
from pyland.diagnose.flow import domain_closure, is_domain_balance
from pyland.diagnose.records import open_file
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.commands.zone_files import zones_of_case
from pyland.output.atomic import complete_file
from pyland.output.domain_fields import FILE, read_domain_fields

_log = get_logger("diagnose")


def balance(run: DiagnosedRun) -> Diagnosis:
    """Sum up the balances of a run, and write tables of its zones.

    The closure is that of the whole run; tables are those of the period and the zones of ``diagnose.balance``. Writes
    ``<kind>_<zones>.csv`` and ``water_<zones>_<every>.png`` below ``run.folder``.
    """
    path = run.files.need("balance.nc")
    section = run.config.diagnose.balance
    if is_domain_balance(path):
        numbers, tables = domain_closure(path), _domain_tables(run, path, section)
    else:
        numbers, tables = closure(path), _tables(run, path, section)
    groups: dict[str, list[BalanceTable]] = {}
    for table in tables:
        groups.setdefault(f"{table.kind}_{table.zones.name.replace('/', '_by_')}", []).append(table)
    files = []
    for name, group in groups.items():
        target = run.folder / f"{name}.csv"
        with complete_file(target) as partial:
            partial.write_text(table_csv(group), encoding="utf-8")
        files.append(target)
    if run.with_figures:
        files += _figures(run, tables)
    text = "\n\n".join([*map(table_text, tables)]) or "no tables: the run has no domain.nc"
    return Diagnosis(numbers | {"tables": [table_numbers(one) for one in tables]}, text, tuple(files))


def _tables(run: DiagnosedRun, path: Path, section: BalanceSection) -> list[BalanceTable]:
    """Return the tables of a run of columns."""
    if run.files.find(FILE) is None:
        _log.warning("%s: the run has no %s, it is of an earlier version; the closure stands alone. Run the case again "
                     "for tables of zones", run.files.run_dir, FILE)
        return []
    domain = read_domain_fields(run.files.run_dir)
    zones = zones_of_case(section, domain)
    with open_file(path) as data:
        kinds = ["water", "energy", *(["carbon"] if "net_primary_production" in data else [])]
        return [balance_table(data, domain, one, run.period, every, kind)
                for kind in kinds for one in zones for every in section.every]


def _domain_tables(run: DiagnosedRun, path: Path, section: BalanceSection) -> list[BalanceTable]:
    """Return the tables of a run whose cells exchange water: those of the whole domain."""
    if section.changes("zones") and section.zones != ["domain"]:
        raise InputError(
            f"{run.config.where('diagnose.balance.zones')}: expected domain, got {', '.join(section.zones)}; "
            "with subsurface.mode: distributed water flows between cells, and only the whole domain has a balance.")
    with open_file(path) as data:
        return [domain_balance_table(data, run.period, every) for every in section.every]


def _figures(run: DiagnosedRun, tables: Sequence[BalanceTable]) -> list[Path]:
    """Draw the water of each table."""
    from pyland.view.balance_bars import plot_balance_bars

    return [plot_balance_bars(one, run.folder / f"water_{one.zones.name.replace('/', '_by_')}_{one.every}.png")
            for one in tables if one.kind == "water"]
