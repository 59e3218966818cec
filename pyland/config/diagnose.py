"""Section ``diagnose``: what is asked of a finished run, one sub-section per topic of ``pyland diagnose``."""

from __future__ import annotations

from pyland.config.diagnose_balance import BalanceSection
from pyland.config.diagnose_degradation import DegradationSection
from pyland.config.diagnose_drought import DroughtSection
from pyland.config.diagnose_glacier import GlacierSection
from pyland.config.diagnose_irrigation import IrrigationUseSection
from pyland.config.diagnose_percentiles import PercentilesSection
from pyland.config.diagnose_permafrost import PermafrostSection
from pyland.config.diagnose_sith import SithSection
from pyland.config.diagnose_skill import SkillSection
from pyland.config.fields import Section, key


class DiagnoseSection(Section):
    """Settings of the topics of ``pyland diagnose``; they change no result of the run."""

    balance: BalanceSection = key(BalanceSection, "zones and periods of balance tables", factory=True)
    glacier: GlacierSection = key(GlacierSection, "mass balance of glaciers", factory=True)
    permafrost: PermafrostSection = key(PermafrostSection, "frozen ground", factory=True)
    sith: SithSection = key(SithSection, "a light model of evapotranspiration beside the run", factory=True)
    percentiles: PercentilesSection = key(PercentilesSection, "how usual values are, drought classes", factory=True)
    drought: DroughtSection = key(DroughtSection, "SPI, SPEI and scPDSI", factory=True)
    degradation: DegradationSection = key(DegradationSection, "trends of productivity, use of rain", factory=True)
    irrigation: IrrigationUseSection = key(IrrigationUseSection, "irrigation that observations see", factory=True)
    skill: SkillSection = key(SkillSection, "skill at many stations", factory=True)
