"""Drought indices of monthly series: SPI, SPEI and the self-calibrating Palmer index, for many cells at once."""

from pyland.diagnose.drought.evaporative_demand import penman_monteith, priestley_taylor
from pyland.diagnose.drought.monthly import accumulate, monthly_sums
from pyland.diagnose.drought.palmer import PalmerIndex, scpdsi
from pyland.diagnose.drought.palmer_bucket import PalmerFluxes, bucket_fluxes, model_fluxes
from pyland.diagnose.drought.standardised_index import spei, spi, standardised_index

__all__ = [
    "PalmerFluxes",
    "PalmerIndex",
    "accumulate",
    "bucket_fluxes",
    "model_fluxes",
    "monthly_sums",
    "penman_monteith",
    "priestley_taylor",
    "scpdsi",
    "spei",
    "spi",
    "standardised_index",
]
