"""Ensemble filters on plain arrays: no model, no file.

``analyse`` updates the whole state at once, ``analyse_local`` one local domain at a time, ``reject_outliers`` screens
observations before either, ``localisation_weights`` shows what a taper does. ``StateVector`` joins water and heads.

``LaggedSmoother`` updates the past too. ``esmda``, ``ies`` and ``IterativeSmoother`` run the model again and again,
``variational`` minimises. ``LogTransform``, ``LogitTransform`` and ``GaussianAnamorphosis`` keep bounded variables
within their bounds, ``TransformedVector`` has one for each part of a state.
"""

from pyland.assimilate.anamorphosis import GaussianAnamorphosis
from pyland.assimilate.correlation_localisation import analyse_correlated
from pyland.assimilate.diagnostics import AnalysisDiagnostics
from pyland.assimilate.esmda import esmda, geometric_alphas
from pyland.assimilate.filters import analyse
from pyland.assimilate.iterative_smoother import IterativeSmoother
from pyland.assimilate.lagged_smoother import LaggedSmoother
from pyland.assimilate.local import analyse_local, local_weights, localisation_weights
from pyland.assimilate.quality import reject_outliers
from pyland.assimilate.state_vector import StateVector, limit_heads
from pyland.assimilate.subspace_smoother import ies
from pyland.assimilate.variable_transforms import IdentityTransform, LogitTransform, LogTransform, TransformedVector
from pyland.assimilate.variational import static_modes, variational

__all__ = [
    "AnalysisDiagnostics",
    "GaussianAnamorphosis",
    "IdentityTransform",
    "IterativeSmoother",
    "LaggedSmoother",
    "LogTransform",
    "LogitTransform",
    "StateVector",
    "TransformedVector",
    "analyse",
    "analyse_correlated",
    "analyse_local",
    "esmda",
    "geometric_alphas",
    "ies",
    "limit_heads",
    "local_weights",
    "localisation_weights",
    "reject_outliers",
    "static_modes",
    "variational",
]
