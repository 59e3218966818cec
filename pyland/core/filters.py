"""Boundary to the compiled ensemble filters: arrays in, arrays out.

All take the prior ``(member, state)``, which they do not change, and return the analysis, members contiguous in memory.
They raise `InputError` if shapes do not fit or a value is not finite, and `ConvergenceError` if an iteration does not
converge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check
from pyland.core.localisation import Localisation, members_first
from pyland.core.transforms import HYBRID_RULES, LIKELIHOODS, METHODS, ROOTS, VARIANTS

KINDS = {"etkf": 1, "denkf": 2, "enkf": 3}
SERIAL_KINDS = {"ensrf": 1, "rhf": 2}
RELAXATIONS = ("spread", "perturbations")


@dataclass(frozen=True)
class Treatment:
    """What happens to the anomalies besides the update.

    Attributes
    ----------
    inflation : float
        Factor on the prior anomalies of the state [1].
    relaxation : float
        Share of the prior that the analysis is relaxed to [1].
    relaxation_to : str
        One of ``RELAXATIONS``.
    inflate_unobserved : bool
        Inflate domains without observations; local filters only.
    rotation : numpy.ndarray, optional
        Orthogonal matrix that keeps the mean, ``(member, member)``.
    threads : int
        OpenMP threads; 0 for the default.
    """

    inflation: float = 1.0
    relaxation: float = 0.0
    relaxation_to: str = "spread"
    inflate_unobserved: bool = False
    rotation: np.ndarray | None = None
    threads: int = 0

    def _relaxing(self) -> tuple[float, float, int]:
        return self.inflation, self.relaxation, RELAXATIONS.index(self.relaxation_to)

    def _turning(self) -> np.ndarray:
        return np.zeros((1, 1), order="F") if self.rotation is None else members_first(self.rotation)


def update_global(
    ensemble: np.ndarray, anomalies: np.ndarray, innovations: np.ndarray, kind: str, treatment: Treatment
) -> np.ndarray:
    """Update an ensemble with a global filter.

    Parameters
    ----------
    ensemble : numpy.ndarray, shape (member, state)
        Prior.
    anomalies : numpy.ndarray, shape (member, obs)
        Inflated, whitened anomalies of the predicted observations.
    innovations : numpy.ndarray
        Whitened innovations, shape ``(member, obs)`` for ``enkf``, ``(1, obs)`` for others.
    kind : str
        One of ``KINDS``.
    treatment : Treatment
        What else happens to the anomalies.
    """
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    check(*wrapped.pl_api_assimilate.assimilate_global(
        analysis, members_first(anomalies), members_first(innovations), KINDS[kind], *treatment._relaxing(),
        treatment._turning(), treatment.threads))
    return analysis


def update_by_weights(ensemble: np.ndarray, weights: np.ndarray, treatment: Treatment) -> np.ndarray:
    """Update an ensemble by weights ``(member, member)``: analysis minus prior mean = prior anomalies times weights."""
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    check(*wrapped.pl_api_assimilate.assimilate_weights(
        analysis, members_first(weights), *treatment._relaxing(), treatment._turning(), treatment.threads))
    return analysis


def update_local(
    localisation: Localisation, ensemble: np.ndarray, domain_of_state: np.ndarray, anomalies: np.ndarray,
    innovations: np.ndarray, perturbations: np.ndarray | None, kind: str, treatment: Treatment,
) -> np.ndarray:
    """Update an ensemble with a local filter that works in the space of members.

    Parameters
    ----------
    localisation : Localisation
        Which observations the domains use.
    ensemble : numpy.ndarray, shape (member, state)
        Prior.
    domain_of_state : numpy.ndarray of int, shape (state,)
        Domain of each state element, from 0.
    anomalies : numpy.ndarray, shape (member, obs)
        Inflated anomalies of the predicted observations over the error deviation.
    innovations : numpy.ndarray, shape (obs,)
        Innovations over the error deviation.
    perturbations : numpy.ndarray, shape (member, obs), optional
        Perturbations of unit variance, for ``enkf``.
    kind : str
        One of ``KINDS``.
    treatment : Treatment
        What else happens to the anomalies.
    """
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    noise = np.zeros((1, 1), order="F") if perturbations is None else members_first(perturbations)
    check(*wrapped.pl_api_assimilate.assimilate_local(
        localisation.handle, analysis, members_first(anomalies), np.ascontiguousarray(innovations, dtype=np.float64),
        noise, *_domains(domain_of_state, localisation.ndomain), KINDS[kind], *_local(treatment)))
    return analysis


def update_local_weights(
    localisation: Localisation, ensemble: np.ndarray, domain_of_state: np.ndarray, anomalies: np.ndarray,
    innovations: np.ndarray, method: str, treatment: Treatment, *, likelihood: str = "gaussian",
    least_effective: float = 0.0, root: str = "symmetric", variant: str = "hnk", hybrid_rule: str = "lin",
    hybrid_weight: float = 0.95, hybrid_norm: float = 0.0,
) -> np.ndarray:
    """Update an ensemble with a local filter that works by weights.

    Arguments as in `update_local`; ``method`` and the options as in `pyland.core.transforms.weight_matrix`.
    """
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    check(*wrapped.pl_api_assimilate.assimilate_by_weights(
        localisation.handle, analysis, members_first(anomalies), np.ascontiguousarray(innovations, dtype=np.float64),
        *_domains(domain_of_state, localisation.ndomain), METHODS[method], LIKELIHOODS[likelihood], least_effective,
        ROOTS[root], VARIANTS[variant], HYBRID_RULES[hybrid_rule], hybrid_weight, hybrid_norm, *_local(treatment)))
    return analysis


def update_serial(
    localisation: Localisation, ensemble: np.ndarray, domain_of_state: np.ndarray, anomalies: np.ndarray,
    mean: np.ndarray, observed: np.ndarray, variance: np.ndarray, bounds: np.ndarray, kind: str, treatment: Treatment,
) -> np.ndarray:
    """Update an ensemble with a serial filter.

    Parameters
    ----------
    localisation, ensemble, domain_of_state, treatment
        As in `update_local`.
    anomalies : numpy.ndarray, shape (member, obs)
        Inflated anomalies of the predicted observations, in the unit of the observations.
    mean, observed, variance : numpy.ndarray, shape (obs,)
        Predicted mean, observation, variance of its error.
    bounds : numpy.ndarray, shape (obs, 2)
        Lower and upper bound of what is observed, infinite for none.
    kind : str
        One of ``SERIAL_KINDS``.
    """
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    vectors = (np.ascontiguousarray(one, dtype=np.float64) for one in (mean, observed, variance))
    check(*wrapped.pl_api_assimilate.assimilate_serial(
        localisation.handle, analysis, members_first(anomalies), *vectors, members_first(bounds.T),
        *_domains(domain_of_state, localisation.ndomain), SERIAL_KINDS[kind], *_local(treatment)))
    return analysis


def update_covariance(
    localisation: Localisation, ensemble: np.ndarray, domain_of_state: np.ndarray, anomalies: np.ndarray,
    innovations: np.ndarray, treatment: Treatment,
) -> np.ndarray:
    """Update an ensemble with the EnKF with localised covariances; ``innovations`` are perturbed, (member, obs)."""
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    check(*wrapped.pl_api_assimilate.assimilate_covariance(
        localisation.handle, analysis, members_first(anomalies), members_first(innovations),
        *_domains(domain_of_state, localisation.ndomain), *_local(treatment)))
    return analysis


def _local(treatment: Treatment) -> tuple[Any, ...]:
    return (*treatment._relaxing(), int(treatment.inflate_unobserved), treatment._turning(), treatment.threads)


def _domains(domain_of_state: np.ndarray, ndomain: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first entry of each domain in the list of state elements, and that list, both from 1."""
    order = np.argsort(domain_of_state, kind="stable")
    start = np.searchsorted(domain_of_state[order], np.arange(ndomain + 1))
    return (start + 1).astype(np.int32), (order + 1).astype(np.int32)


__all__ = [
    "KINDS", "RELAXATIONS", "SERIAL_KINDS", "Treatment", "update_by_weights", "update_covariance", "update_global",
    "update_local", "update_local_weights", "update_serial",
]  # fmt: skip
