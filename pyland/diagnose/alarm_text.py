"""What an alarm says, in English, German and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyland.base.registry import variable
from pyland.config.alarms import BELOW, PERCENTILE, AlarmRule

LANGUAGES = ("en", "de", "zh")

VARIABLES = {
    "soil_water": ("soil water", "Bodenwasser", "土壤含水量"),
    "soil_water_total": ("water of the soil column", "Wasser der Bodensäule", "土柱总含水量"),
    "saturation": ("saturation of the soil", "Sättigung des Bodens", "土壤饱和度"),
    "soil_temperature": ("soil temperature", "Bodentemperatur", "土壤温度"),
    "soil_ice": ("soil ice", "Bodeneis", "土壤含冰量"),
    "snow_mass": ("snow mass", "Schneemasse", "雪水当量"),
    "snow_depth": ("snow depth", "Schneehöhe", "雪深"),
    "snow_melt": ("snow melt", "Schneeschmelze", "融雪量"),
    "surface_water_depth": ("ponded water", "stehendes Wasser", "地表积水深度"),
    "water_table_depth": ("depth of the water table", "Tiefe des Grundwassers", "地下水埋深"),
    "terrestrial_water_storage": ("terrestrial water storage", "Wasserspeicher des Landes", "陆地水储量"),
    "total_runoff": ("runoff", "Abfluss der Fläche", "总径流"),
    "surface_runoff": ("surface runoff", "Oberflächenabfluss", "地表径流"),
    "discharge": ("river discharge", "Abfluss des Flusses", "河道流量"),
    "evapotranspiration": ("evapotranspiration", "Verdunstung", "蒸散发"),
    "precipitation": ("precipitation", "Niederschlag", "降水"),
    "air_temperature": ("air temperature", "Lufttemperatur", "气温"),
    "lake_area": ("lake area", "Fläche des Sees", "湖泊面积"),
}
"""Names of the variables that alarms mostly watch; others have their long name of the registry in all languages."""

DROUGHT_WORDS = {
    "D0": ("abnormally dry", "ungewöhnlich trocken", "异常干燥"),
    "D1": ("moderate drought", "mäßige Dürre", "中度干旱"),
    "D2": ("severe drought", "schwere Dürre", "重度干旱"),
    "D3": ("extreme drought", "extreme Dürre", "极端干旱"),
    "D4": ("exceptional drought", "außergewöhnliche Dürre", "特大干旱"),
}
"""Names of the drought classes of Svoboda et al. (2002)."""

STATUS_WORDS = {
    "raised": ("New alarm", "Neuer Alarm", "新预警"),
    "worse": ("Worse", "Verschärft", "预警加重"),
    "ongoing": ("Still", "Weiterhin", "预警持续"),
    "cleared": ("Cleared", "Aufgehoben", "预警解除"),
}

_SQUARE_KILOMETRE = 1.0e6


def alarm_text(rule: AlarmRule, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return one sentence or two per language.

    Parameters
    ----------
    rule : AlarmRule
        The rule.
    facts : mapping
        Attributes of the alarm, see `pyland.diagnose.alarms.Alarm`.

    Returns
    -------
    dict of str to str
        By language.
    """
    return {language: _sentence(rule, facts, place) for place, language in enumerate(LANGUAGES)}


def _sentence(rule: AlarmRule, facts: Mapping[str, Any], language: int) -> str:
    """Return the text in one language, 0 to 2."""
    about = variable(rule.variable)
    name = VARIABLES.get(about.id, (about.long_name,) * len(LANGUAGES))[language]
    where = rule.zone or (("the polygon", "dem Polygon", "多边形区域") if rule.polygon is not None
                          else ("the domain", "dem Gebiet", "全区"))[language]
    what = name + _depth(rule, language)
    begin = STATUS_WORDS[facts["status"]][language]
    if facts["status"] == "cleared":
        return (
            f"{begin}: {what} in {where} is no longer {_limit(rule, language)}.",
            f"{begin}: {what} in {where} ist nicht mehr {_limit(rule, language)}.",
            f"{begin}：{where}{what}不再{_limit(rule, language)}。",
        )[language]
    sure = _sure(rule, language)
    drought = "" if facts["drought_class"] is None else _drought(facts["drought_class"], language)
    area, share = facts["area"] / _SQUARE_KILOMETRE, 100.0 * facts["share"]
    first, last = (facts[name][:16].replace("T", " ") for name in ("first", "last"))
    worst = facts["worst"]
    north, east = worst["latitude"], worst["longitude"]
    place = f"{abs(north):.2f}°{'N' if north >= 0 else 'S'} {abs(east):.2f}°{'E' if east >= 0 else 'W'}"
    chance = f"{100.0 * worst['probability']:.0f} %"
    return (
        f"{begin}: {what} {_limit(rule, language)}{sure} over {share:.0f} % of {where} ({area:.4g} km²), {first} to "
        f"{last} UTC{drought}. Worst at {place}: {chance} of the members.",
        f"{begin}: {what} {_limit(rule, language)}{sure} auf {share:.0f} % von {where} ({area:.4g} km²), {first} bis "
        f"{last} UTC{drought}. Am stärksten bei {place}: {chance} der Mitglieder.",
        f"{begin}：{where}{share:.0f} %（{area:.4g} km²）的{what}{_limit(rule, language)}{sure}，{first} 至 {last} "
        f"UTC{drought}。最严重地点 {place}：{chance} 的集合成员。",
    )[language]


def _depth(rule: AlarmRule, language: int) -> str:
    """Return the depth that is averaged over."""
    if rule.depth is None:
        return ""
    top, bottom = (f"{100.0 * one:g}" for one in rule.depth)
    return (f" at {top}-{bottom} cm", f" in {top}-{bottom} cm Tiefe", f"（{top}-{bottom} cm）")[language]


def _limit(rule: AlarmRule, language: int) -> str:
    """Return the side of the limit."""
    below = rule.direction == BELOW
    if rule.statistic == PERCENTILE:
        number = f"{rule.limit:g}"
        return ((f"at or below percentile {number}", f"höchstens beim {number}. Perzentil",
                 f"不高于第 {number} 百分位") if below else
                (f"at or above percentile {number}", f"mindestens beim {number}. Perzentil",
                 f"不低于第 {number} 百分位"))[language]
    units = variable(rule.variable).units
    number = f"{rule.limit:g}" + ("" if units == "1" else f" {units}")
    return ((f"at or below {number}", f"höchstens bei {number}", f"不高于 {number}") if below else
            (f"at or above {number}", f"mindestens bei {number}", f"不低于 {number}"))[language]


def _sure(rule: AlarmRule, language: int) -> str:
    """Return how many members it takes."""
    if rule.probability is None:
        return (" in the mean of the members", " im Mittel der Mitglieder", "（集合平均）")[language]
    share = f"{100.0 * rule.probability:g} %"
    return (f" in at least {share} of the members", f" bei mindestens {share} der Mitglieder",
            f"（至少 {share} 的集合成员）")[language]


def _drought(name: str, language: int) -> str:
    """Return the drought class."""
    words = DROUGHT_WORDS[name][language]
    return (f"; class {name}, {words}", f"; Klasse {name}, {words}", f"；等级 {name}，{words}")[language]
