"""Numbers as tables show them."""

from __future__ import annotations

import pytest

from pyland.base.text import significant


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [(253.4, 2, "250"), (0.09786, 3, "0.0979"), (18.04, 3, "18"), (1.26, 2, "1.3"), (0.0, 2, "0"), (999.6, 3, "1000")],
)
def test_rounds_to_significant_digits_without_exponent(number: float, digits: int, text: str) -> None:
    assert significant(number, digits) == text


def test_sign_is_shown_on_request() -> None:
    assert significant(17.2, 1, sign=True) == "+20"
    assert significant(-17.2, 1, sign=True) == "-20"
