"""Time the reader of SMAP L3E: a day of both passes on 1624 x 3856 cells into a table, for a box and for the earth.

    OMP_NUM_THREADS=1 python tools/benchmarks/observation_readers.py [--seen 0.15] [--folder DIR]

A share of the cells is seen, in swaths. Prints wall seconds of one call each, the file in the cache of the system.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

from pyland.observe import read_product

SHAPE = 1624, 3856
EUROPE = 20.0, 73.0, -45.0, 66.0
"""About the EURO-CORDEX domain: south, north, west, east [degrees]."""

RANGES = {"soil_moisture": (0.03, 0.5), "soil_moisture_error": None, "vegetation_water_content": (0.0, 8.0),
          "static_water_body_fraction": (0.0, 0.1), "freeze_thaw_fraction": (0.0, 1.0),
          "surface_temperature": (265.0, 310.0), "boresight_incidence": (40.0, 40.1),
          "tb_h_corrected": (180.0, 280.0), "tb_v_corrected": (200.0, 290.0)}
UNITS = {"soil_moisture": "cm**3/cm**3", "soil_moisture_error": "cm**3/cm**3", "tb_h_corrected": "Kelvin",
         "tb_v_corrected": "Kelvin"}


def write_day(path: Path, share: float) -> None:
    """Write a file in the layout of SPL3SMP_E with random numbers where something is seen."""
    random = np.random.default_rng(0)
    start = (np.datetime64("2018-06-01") - np.datetime64("2000-01-01T11:58:55", "s")) / np.timedelta64(1, "s")
    with netCDF4.Dataset(path, "w") as file:
        for name, ending in (("AM", ""), ("PM", "_pm")):
            group = file.createGroup(f"Soil_Moisture_Retrieval_Data_{name}")
            group.createDimension("row", SHAPE[0])
            group.createDimension("column", SHAPE[1])
            seen = np.kron(random.random((29, 241)) < share, np.ones((56, 16), bool))
            count = int(seen.sum())

            def field(variable: str, kind: str, fill: float, numbers: np.ndarray | None, *, inside=group,
                      last=ending, where=seen) -> None:
                values = np.full(SHAPE, fill, kind)
                if numbers is not None:
                    values[where] = numbers
                one = inside.createVariable(variable + last, kind, ("row", "column"), fill_value=fill, zlib=True,
                                            chunksizes=(406, 964))
                one.units = UNITS.get(variable, "1")
                one[:] = values

            for variable, limits in RANGES.items():
                field(variable, "f4", -9999.0, None if limits is None else random.uniform(*limits, count))
            for variable in ("retrieval_qual_flag", "surface_flag", "tb_qual_flag_h", "tb_qual_flag_v"):
                field(variable, "u2", 65534, random.choice([0, 8, 1], count))
            field("tb_time_seconds", "f8", -9999.0, start + np.sort(random.integers(0, 86400, count)))


def main() -> None:
    """Write a file and time its reading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seen", type=float, default=0.15)
    parser.add_argument("--folder", type=Path)
    option = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=option.folder) as folder:
        path = Path(folder) / "SMAP_L3_SM_P_E_20180601_R19240_001.h5"
        write_day(path, option.seen)
        print(f"{path.name}: {path.stat().st_size / 1e6:.0f} MB")
        for label, given in (("Europe, soil moisture", {"bounds": EUROPE}),
                             ("Europe, brightness temperatures", {"bounds": EUROPE, "type": "brightness_temperature"}),
                             ("the earth, soil moisture", {})):
            begin = time.perf_counter()
            table = read_product(path, "smap_l3", **given)
            print(f"{label:35s} {table.size:9d} rows {time.perf_counter() - begin:7.2f} s")


if __name__ == "__main__":
    main()
