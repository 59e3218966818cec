"""Key ``assimilation.options``: what single filters can be told."""

from __future__ import annotations

from typing import Any

from pyland.config.fields import Problem, Section, key
from pyland.config.filters import OPTIONS

LIKELIHOODS = ("gaussian", "laplace")
ROOTS = ("symmetric", "cholesky")
VARIANTS = ("hnk", "hkn", "hsync")
HYBRID_RULES = ("fixed", "lin", "alpha", "ska", "sklin")
RESAMPLINGS = ("systematic", "residual", "multinomial")
LOCALISE = ("covariance", "errors")


class FilterOptionsSection(Section):
    """Options of single filters; what is not given is as the filter has it."""

    root: str | None = key(
        None, "seik, lseik: square root of the analysis covariance; null is symmetric", choices=ROOTS)
    likelihood: str | None = key(
        None, "netf, lnetf, knetf, lknetf, pf: distribution of the errors of observations; null is gaussian",
        choices=LIKELIHOODS)
    least_effective: float | None = key(
        None, "netf, lnetf, pf: least effective sample size over the ensemble size, reached by larger errors; null is "
        "0", unit="1", at_least=0, at_most=1)
    variant: str | None = key(
        None, "knetf, lknetf: nonlinear before Kalman, Kalman before nonlinear, both at once; null is hnk",
        choices=VARIANTS)
    hybrid_rule: str | None = key(
        None, "knetf, lknetf: how the share of the Kalman filter is found; null is lin", choices=HYBRID_RULES)
    hybrid_weight: float | None = key(
        None, "knetf, lknetf: the number h of these rules; null is 0.95", unit="1", at_least=0, at_most=1)
    hybrid_norm: float | None = key(
        None, "knetf, lknetf: the number c of these rules; null is the ensemble size", unit="1", above=0)
    jitter: float | None = key(
        None, "pf: width of the noise on copies over that of the rule for kernels; null is 0, none", unit="1",
        at_least=0, at_most=100)
    resampling: str | None = key(None, "pf: how copies are drawn; null is systematic", choices=RESAMPLINGS)
    dimension: int | None = key(
        None, "pf: number of dimensions in the rule for the width of jitter; null is the ensemble size less 1",
        kind="integer", at_least=1)
    localise: str | None = key(
        None, "lenkf: localise covariances, or the errors of observations as the letkf; null is covariance",
        choices=LOCALISE)

    def given(self) -> dict[str, Any]:
        """Return the options that are given, by name."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}

    def problems(self, name: str) -> list[Problem]:
        """Return what a filter cannot take of the options, relative to ``assimilation``."""
        own = [one for one in OPTIONS.get(name, ()) if one in type(self).model_fields]
        has = f"; {name} has {', '.join(own)}" if own else ""
        problems: list[Problem] = []
        for one, value in self.given().items():
            owners = ", ".join(owner for owner, names in OPTIONS.items() if one in names)
            if one not in own:
                problems.append((f"options.{one}", f"expected no {one} with filter: {name}; it belongs to "
                                 f"{owners}{has}", (f"options.{one}", "filter")))
            elif one == "dimension" and not self.jitter:
                problems.append((f"options.{one}", f"expected a jitter above 0 with dimension, got dimension {value}",
                                 (f"options.{one}", "options.jitter")))
        return problems


__all__ = ["FilterOptionsSection"]
