"""ParFlow binary files under the name they had here before the forcing read them too: `pyland.domain.pfb`."""

from pyland.domain.pfb import (
    PfbHeader,
    PfbSubgrid,
    iterate_pfb,
    read_pfb,
    read_pfb_header,
    write_pfb,
    write_pfb_dist,
)

__all__ = [
    "PfbHeader", "PfbSubgrid", "iterate_pfb", "read_pfb", "read_pfb_header", "write_pfb", "write_pfb_dist",
]
