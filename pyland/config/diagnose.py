"""Section ``diagnose``: what is asked of a finished run, one sub-section per topic of ``pyland diagnose``."""

from __future__ import annotations

from pyland.config.diagnose_balance import BalanceSection
from pyland.config.fields import Section, key


class DiagnoseSection(Section):
    """Settings of the topics of ``pyland diagnose``; they change no result of the run."""

    balance: BalanceSection = key(BalanceSection, "zones and periods of balance tables", factory=True)
