"""Section ``diagnose``: what is asked of a finished run, one sub-section per topic of ``pyland diagnose``."""

from __future__ import annotations

from pyland.config.fields import Section


class DiagnoseSection(Section):
    """Settings of the topics of ``pyland diagnose``; they change no result of the run."""
