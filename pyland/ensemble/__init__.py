"""The ensemble: counter-based random fields and the perturbation of forcing, parameters and initial state."""

from pyland.ensemble.forcing_perturbation import ForcingPerturbation
from pyland.ensemble.parameter_perturbation import perturb_initial, perturb_parameters
from pyland.ensemble.random_fields import RandomField, standard_normal

__all__ = ["ForcingPerturbation", "RandomField", "perturb_initial", "perturb_parameters", "standard_normal"]
