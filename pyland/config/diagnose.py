"""Section ``diagnose``: what is asked of a finished run, one sub-section per topic of ``pyland diagnose``."""

from __future__ import annotations

from pyland.config.diagnose_degradation import DegradationSection
from pyland.config.diagnose_drought import DroughtSection
from pyland.config.diagnose_irrigation import IrrigationUseSection
from pyland.config.diagnose_percentiles import PercentilesSection
from pyland.config.fields import Section, key


class DiagnoseSection(Section):
    """Settings of the topics of ``pyland diagnose``; they change no result of the run."""

    percentiles: PercentilesSection = key(PercentilesSection, "how usual values are, drought classes", factory=True)
    drought: DroughtSection = key(DroughtSection, "SPI, SPEI and scPDSI", factory=True)
    degradation: DegradationSection = key(DegradationSection, "trends of productivity, use of rain", factory=True)
    irrigation: IrrigationUseSection = key(IrrigationUseSection, "irrigation that observations see", factory=True)
