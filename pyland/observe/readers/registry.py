"""All readers by their name. A new one is a function in a file of its own, and a row here."""

from __future__ import annotations

from types import MappingProxyType

from pyland.observe.quantities import QUANTITIES
from pyland.observe.readers.amsr2 import read_amsr2_lprm
from pyland.observe.readers.ascat_cells import read_ascat_cells
from pyland.observe.readers.ascat_swath import read_ascat_swath
from pyland.observe.readers.crns_stations import read_crns
from pyland.observe.readers.esa_cci import read_esa_cci
from pyland.observe.readers.flux_towers import read_flux_tower
from pyland.observe.readers.gauges import read_gauges
from pyland.observe.readers.grace import read_grace
from pyland.observe.readers.ismn import read_ismn
from pyland.observe.readers.mapped_product import read_mapped
from pyland.observe.readers.own_table import read_own_tables
from pyland.observe.readers.reader import Reader
from pyland.observe.readers.smap import read_smap_l3
from pyland.observe.readers.smos import read_smos_l3
from pyland.observe.readers.wells import read_wells

_ALL = (
    Reader("smap_l3", read_smap_l3, ("soil_moisture", "brightness_temperature"),
           "SMAP L3 and L3E, 36 and 9 km, soil moisture or brightness temperatures (HDF5)"),
    Reader("smos_l3", read_smos_l3, ("soil_moisture",), "SMOS CATDS L3, 25 km (netCDF)"),
    Reader("amsr2_lprm", read_amsr2_lprm, ("soil_moisture",), "AMSR2 LPRM L3, 0.25 or 0.1 degrees (netCDF)"),
    Reader("ascat_cells", read_ascat_cells, ("soil_moisture", "backscatter"),
           "ASCAT H SAF time series, cell files of ragged arrays (netCDF)"),
    Reader("ascat_swath", read_ascat_swath, ("soil_moisture", "backscatter"), "ASCAT EUMETSAT L2 orbit files (netCDF)"),
    Reader("esa_cci", read_esa_cci, ("soil_moisture",), "ESA CCI SM daily images (netCDF)"),
    Reader("mapped", read_mapped, tuple(QUANTITIES), "any gridded product by a mapping in YAML (netCDF, HDF5)"),
    Reader("ismn", read_ismn, ("soil_moisture", "snow_depth", "snow_water", "lst"),
           "sensors of the International Soil Moisture Network (*.stm files or zip archives)"),
    Reader("crns", read_crns, ("crns",), "counts of cosmic-ray neutron sensors (text files of their loggers)"),
    Reader("flux_tower", read_flux_tower, ("soil_moisture", "lst"),
           "probes and longwave of eddy-covariance stations (ALMA netCDF, FLUXNET text)"),
    Reader("grace", read_grace, ("tws",), "anomalies of water storage of GRACE and GRACE-FO (netCDF of mascons)"),
    Reader("wells", read_wells, ("groundwater",), "depths or levels of ground water (text by columns, netCDF)"),
    Reader("gauges", read_gauges, ("discharge",), "discharge at gauges (GRDC and USGS RDB files, text by columns)"),
    Reader("table", read_own_tables, tuple(QUANTITIES), "tables that `pyland observe` or write_table wrote"),
)

READERS = MappingProxyType({one.name: one for one in _ALL})
"""By the name that users give."""
