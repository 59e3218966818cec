"""What is wrong with a synthetic product beside its noise; in ``observations: twin: errors:``."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problems, Section, key


class TwinErrorsSection(Section):
    """Errors of a synthetic product: value = gain * truth + shifts + noise."""

    gain: float = key(1.0, "factor on the truth", unit="1", above=0, at_most=10)
    bias: float = key(0.0, "shift [unit of the type]", unit="1")
    bias_std: float = key(
        0.0, "standard deviation over places of a further shift that lasts [unit of the type]", unit="1", at_least=0)
    bias_length: float | None = key(
        None, "distance over which the correlation of that shift falls to 1/e; null: places are independent",
        unit="m", above=0)
    noise_per_leaf_area: float = key(
        0.0, "what the standard deviation of the noise grows by with each unit of leaf area index, from that of no "
        "leaves, which is twin.error [unit of the type]", unit="1", at_least=0)
    bias_per_leaf_area: float = key(
        0.0, "shift that comes with each unit of leaf area index, an error that follows the season [unit of the type]",
        unit="1")
    noise_length: float | None = key(
        None, "distance over which the correlation of the noise of one time falls to 1/e; null: independent places",
        unit="m", above=0)

    @model_validator(mode="after")
    def _check(self) -> TwinErrorsSection:
        if self.bias_length is not None and self.bias_std == 0:
            raise Problems([("bias_length", "expected a bias_std above 0 with bias_length, got 0",
                             ("bias_length", "bias_std"))])
        return self
