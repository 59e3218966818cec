"""Alarms of a product: from its members to ``alarms.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyland.config.alarms import AlarmsSection
from pyland.diagnose.alarms import Alarm, evaluate_alarms
from pyland.driver.cycle.product_fields import ProductFields
from pyland.output.alarm_files import read_alarms, write_alarms

ALARMS = "alarms.json"


def raise_alarms(
    folder: str | Path,
    section: AlarmsSection,
    reference_time: Any,
    previous: str | Path | None = None,
    climatology: str | Path | None = None,
) -> list[Alarm]:
    """Evaluate the rules on a product and write its alarms.

    Parameters
    ----------
    folder : str or Path
        Folder of the product, also before it has its final name.
    section : AlarmsSection
        The rules.
    reference_time : datetime or datetime64
        Time of the analysis [UTC].
    previous : str or Path, optional
        Product of the preceding cycle, whose alarms may go on; None for the first cycle.
    climatology : str or Path, optional
        File of climatologies for rules on percentiles.

    Returns
    -------
    list of Alarm
        What is in the file now.

    Raises
    ------
    InputError
        If a rule finds no members, zone or climatology, or the alarms of the preceding product are damaged.
    """
    folder = Path(folder)
    alarms: list[Alarm] = []
    if section.rules:
        before = [] if previous is None else read_alarms(Path(previous) / ALARMS)
        fields = ProductFields(folder, climatology)
        places = fields.places(section.zones)
        alarms = evaluate_alarms(section.rules, fields.alarm_field, places, reference_time, before)
    write_alarms(folder / ALARMS, [one.as_dict() for one in alarms], reference_time)
    return alarms
