"""Ensemble filters on plain arrays: no model, no file.

``analyse`` updates the whole state at once, ``analyse_local`` one local domain at a time, ``reject_outliers`` screens
observations before either, ``localisation_weights`` shows what a taper does. ``StateVector`` joins water and heads.
``global_weights`` gives the weights of members, ``ParticleFilter`` carries weights from one analysis to the next.
"""

from pyland.assimilate.diagnostics import AnalysisDiagnostics
from pyland.assimilate.distances import Distances
from pyland.assimilate.filter_table import FILTERS, FilterInfo
from pyland.assimilate.filters import analyse
from pyland.assimilate.global_weights import global_weights
from pyland.assimilate.local import analyse_local, local_weights, localisation_weights
from pyland.assimilate.particle_filter import ParticleFilter, particle_analysis, resample
from pyland.assimilate.quality import reject_outliers
from pyland.assimilate.rotations import random_rotation, seik_omega
from pyland.assimilate.state_vector import StateVector, limit_heads

__all__ = [
    "FILTERS",
    "AnalysisDiagnostics",
    "Distances",
    "FilterInfo",
    "ParticleFilter",
    "StateVector",
    "analyse",
    "analyse_local",
    "global_weights",
    "limit_heads",
    "local_weights",
    "localisation_weights",
    "particle_analysis",
    "random_rotation",
    "reject_outliers",
    "resample",
    "seik_omega",
]
