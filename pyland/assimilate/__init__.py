"""Ensemble filters on plain arrays: no model, no file.

``analyse`` updates the whole state at once, ``analyse_local`` one local domain at a time, by any of ``FILTERS``;
``global_weights`` and ``local_weights`` give their weights, ``localisation_weights`` shows what a taper does.
``ObservationType`` and ``ObservationBatch`` turn observations with errors, operators and places into their arrays;
operators (``at_cells``, ``averaged``, ``footprint_average``, ...), error models and thinning go with them;
``reject_outliers`` screens arrays. ``Distances`` and ``river_distances`` localise along a network.
``AdaptiveInflation`` estimates how far a spread is too small, with the observations that ``Reach`` finds near.
``StateVector`` joins water and heads.

``ParticleFilter`` carries weights from one analysis to the next, ``LaggedSmoother`` updates the past too. ``esmda``,
``ies`` and ``IterativeSmoother`` run the model again and again, ``variational`` minimises. ``LogTransform``,
``LogitTransform`` and ``GaussianAnamorphosis`` keep bounded variables within their bounds, ``TransformedVector`` has
one for each part of a state.
"""

from pyland.assimilate.adaptive_inflation import AdaptiveInflation
from pyland.assimilate.anamorphosis import GaussianAnamorphosis
from pyland.assimilate.correlation_localisation import analyse_correlated
from pyland.assimilate.diagnostics import AnalysisDiagnostics
from pyland.assimilate.distances import Distances
from pyland.assimilate.esmda import esmda, geometric_alphas
from pyland.assimilate.filter_table import FILTERS, FilterInfo
from pyland.assimilate.filters import analyse
from pyland.assimilate.footprints import footprint_average, nearest_cell
from pyland.assimilate.global_weights import global_weights
from pyland.assimilate.interpolation import linear_on_axes, linear_on_triangles
from pyland.assimilate.iterative_smoother import IterativeSmoother
from pyland.assimilate.lagged_smoother import LaggedSmoother
from pyland.assimilate.local import analyse_local, local_weights, localisation_weights
from pyland.assimilate.observation_batch import ObservationBatch
from pyland.assimilate.observation_errors import RelativeError, TableError
from pyland.assimilate.observation_operators import (
    FunctionOperator,
    ObservationOperator,
    at_cells,
    averaged,
    weighted,
)
from pyland.assimilate.observation_type import ObservationType
from pyland.assimilate.particle_filter import ParticleFilter, particle_analysis, resample
from pyland.assimilate.quality import reject_outliers
from pyland.assimilate.random_numbers import random_rotation, seik_omega
from pyland.assimilate.reach import Reach
from pyland.assimilate.river_distances import RiverForest, river_distances
from pyland.assimilate.state_vector import StateVector, limit_heads
from pyland.assimilate.subspace_smoother import ies
from pyland.assimilate.thinning import CellBest, CellMean, MinimumDistance
from pyland.assimilate.variable_transforms import IdentityTransform, LogitTransform, LogTransform, TransformedVector
from pyland.assimilate.variational import static_modes, variational

__all__ = [
    "FILTERS",
    "AdaptiveInflation",
    "AnalysisDiagnostics",
    "CellBest",
    "CellMean",
    "Distances",
    "FilterInfo",
    "FunctionOperator",
    "GaussianAnamorphosis",
    "IdentityTransform",
    "IterativeSmoother",
    "LaggedSmoother",
    "LogTransform",
    "LogitTransform",
    "MinimumDistance",
    "ObservationBatch",
    "ObservationOperator",
    "ObservationType",
    "ParticleFilter",
    "Reach",
    "RelativeError",
    "RiverForest",
    "StateVector",
    "TableError",
    "TransformedVector",
    "analyse",
    "analyse_correlated",
    "analyse_local",
    "at_cells",
    "averaged",
    "esmda",
    "footprint_average",
    "geometric_alphas",
    "global_weights",
    "ies",
    "limit_heads",
    "linear_on_axes",
    "linear_on_triangles",
    "local_weights",
    "localisation_weights",
    "nearest_cell",
    "particle_analysis",
    "random_rotation",
    "reject_outliers",
    "resample",
    "river_distances",
    "seik_omega",
    "static_modes",
    "variational",
    "weighted",
]
