"""Ensemble filters on plain arrays: no model, no file.

``analyse`` updates the whole state at once, ``analyse_local`` one local domain at a time, ``reject_outliers`` screens
observations before either, ``localisation_weights`` shows what a taper does. ``StateVector`` joins water and heads,
``AdaptiveInflation`` estimates how far a spread is too small, ``Reach`` says which observations are near.
"""

from pyland.assimilate.adaptive_inflation import AdaptiveInflation
from pyland.assimilate.diagnostics import AnalysisDiagnostics
from pyland.assimilate.filters import analyse
from pyland.assimilate.local import analyse_local, local_weights, localisation_weights
from pyland.assimilate.quality import reject_outliers
from pyland.assimilate.reach import Reach
from pyland.assimilate.state_vector import StateVector, limit_heads

__all__ = [
    "AdaptiveInflation",
    "AnalysisDiagnostics",
    "Reach",
    "StateVector",
    "analyse",
    "analyse_local",
    "limit_heads",
    "local_weights",
    "localisation_weights",
    "reject_outliers",
]
