"""What variables and statistics are called on the page, in its three languages."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pyland.base.errors import InputError
from pyland.base.registry import variable

LANGUAGES = ("en", "de", "zh")

_STATISTICS = {
    "mean": ("mean", "Mittel", "均值"),
    "std": ("spread (standard deviation)", "Streuung (Standardabweichung)", "离散度（标准差）"),
    "min": ("minimum of the members", "Minimum der Mitglieder", "成员最小值"),
    "max": ("maximum of the members", "Maximum der Mitglieder", "成员最大值"),
    "median": ("median of the members", "Median der Mitglieder", "成员中位数"),
    "anomaly": ("anomaly", "Anomalie", "距平"),
    "percentile": ("percentile", "Perzentil", "百分位"),
    "increment": ("analysis increment", "Analyseinkrement", "分析增量"),
}

_QUANTILE = ("quantile {} %", "Quantil {} %", "{}% 分位数")
_NORMAL = (
    " (normal, from mean and spread)",
    " (normalverteilt, aus Mittel und Streuung)",
    "（由均值和离散度按正态分布推算）",
)


def variable_label(identifier: str, attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of a variable in every language; English stands in where there is no other.

    Parameters
    ----------
    identifier : str
        Name in the file.
    attributes : mapping
        Attributes of the variable; ``long_name`` counts for those that the registry does not know.
    """
    try:
        english = variable(identifier).long_name
    except InputError:
        english = str(attributes.get("long_name", identifier.replace("_", " ")))
    known = _table().get(identifier, {})
    return {"en": english, "de": known.get("de", english), "zh": known.get("zh", english)}


def statistic_label(statistic: str, is_normal: bool = False) -> dict[str, str]:
    """Return the name of a statistic in every language; ``is_normal``: computed from mean and standard deviation."""
    if statistic in _STATISTICS:
        words = _STATISTICS[statistic]
    else:
        words = tuple(one.format(int(statistic[1:])) for one in _QUANTILE)
    if is_normal:
        words = tuple(word + more for word, more in zip(words, _NORMAL, strict=True))
    return dict(zip(LANGUAGES, words, strict=True))


@functools.cache
def _table() -> Mapping[str, Mapping[str, str]]:
    import yaml

    text = resources.files("pyland.view.web_server").joinpath("variable_names.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)
