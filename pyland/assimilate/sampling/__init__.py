"""Sampling of parameters on arrays: Markov chains, their convergence, priors, likelihood and screening.

A log density takes the points of all chains at once, so that the chains can be the members of one model call.
"""

from pyland.assimilate.sampling.chains import Chains
from pyland.assimilate.sampling.convergence import (
    Convergence,
    autocorrelation_time,
    bulk_size,
    convergence,
    r_hat,
    tail_size,
)
from pyland.assimilate.sampling.likelihood import log_likelihood
from pyland.assimilate.sampling.priors import LognormalPrior, NormalPrior, Prior, QuantilePrior, UniformPrior
from pyland.assimilate.sampling.sample import SAMPLERS, build_sampler, sample
from pyland.assimilate.sampling.screening import Effects, morris_effects, morris_trajectories

__all__ = [
    "SAMPLERS",
    "Chains",
    "Convergence",
    "Effects",
    "LognormalPrior",
    "NormalPrior",
    "Prior",
    "QuantilePrior",
    "UniformPrior",
    "autocorrelation_time",
    "build_sampler",
    "bulk_size",
    "convergence",
    "log_likelihood",
    "morris_effects",
    "morris_trajectories",
    "r_hat",
    "sample",
    "tail_size",
]
