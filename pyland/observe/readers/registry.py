"""All readers by their name. A new one is a function in a file of its own, and a row here."""

from __future__ import annotations

from types import MappingProxyType

from pyland.observe.quantities import QUANTITIES
from pyland.observe.readers.crns_stations import read_crns
from pyland.observe.readers.flux_towers import read_flux_tower
from pyland.observe.readers.gauges import read_gauges
from pyland.observe.readers.grace import read_grace
from pyland.observe.readers.ismn import read_ismn
from pyland.observe.readers.own_table import read_own_tables
from pyland.observe.readers.reader import Reader
from pyland.observe.readers.wells import read_wells

_ALL = (
    Reader("table", read_own_tables, tuple(QUANTITIES), "tables that `pyland observe` or write_table wrote"),
    Reader("crns", read_crns, ("crns",), "counts of cosmic-ray neutron sensors from the text files of their loggers"),
    Reader("ismn", read_ismn, ("soil_moisture", "snow_depth", "snow_water", "lst"),
           "sensors of the International Soil Moisture Network, *.stm files or zip archives"),
    Reader("flux_tower", read_flux_tower, ("soil_moisture", "lst"),
           "probes and longwave of eddy-covariance stations, ALMA netCDF or FLUXNET text"),
    Reader("grace", read_grace, ("tws",), "anomalies of water storage of GRACE and GRACE-FO, netCDF of mascons"),
    Reader("wells", read_wells, ("groundwater",), "depths or levels of ground water, text by columns or netCDF"),
    Reader("gauges", read_gauges, ("discharge",), "discharge of GRDC files, USGS RDB files or text by columns"),
)

READERS = MappingProxyType({one.name: one for one in _ALL})
"""By the name that users give."""
