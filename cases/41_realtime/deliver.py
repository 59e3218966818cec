"""Makes the files of the real-time cycle and delivers them as a provider does: late, twice, broken, or not at all.

    python3 deliver.py make [--days N]          writes archive/ (weather, satellite, weather forecasts) and its schedule
    python3 deliver.py release DATE             copies into incoming/ what has arrived up to a time (UTC)

A delivered file bears the time of its delivery, which `pyland cycle --now` goes by.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import netCDF4
import numpy as np

from pyland.config import CaseConfig, load_case
from pyland.domain import build_domain
from pyland.driver.run import observe_truth
from pyland.forcing import WeatherGenerator
from pyland.observe import read_table, write_table

HERE = Path(__file__).resolve().parent
DAY, HOUR = np.timedelta64(86400, "s"), np.timedelta64(3600, "s")
LEAD_DAYS = 5
"""Length of weather forecasts: longer than those of the land, so that one of an earlier day can stand in [days]."""
MEMBERS = 4
KEPT_DAYS = 15
"""A provider deletes what it delivered so long ago [days]."""

WHOLE = "whole.nc"
"""True weather of all days in one file of the archive, for the truth and for `pyland run`."""

SPACING = 0.1  # of the weather [degrees]
SEED = 12
EARTH = 111195.0  # length of a degree of latitude [m]

LATE = {"early": 6, "final": 72, "satellite": 9, "forecast": 4}
"""Usual arrival after the end of the day, or after the begin of the forecast [h]."""

FAULTS = {
    ("early", 7): ("late", 20), ("early", 23): ("late", 26), ("early", 41): ("late", 20),
    ("early", 12): ("missing", 0), ("early", 37): ("missing", 0),
    ("early", 15): ("broken, then whole", 4), ("early", 29): ("broken", 0), ("early", 18): ("twice", 1),
    ("final", 21): ("missing", 0), ("final", 34): ("broken", 0), ("final", 45): ("late", 18),
    ("satellite", 5): ("missing", 0), ("satellite", 26): ("missing", 0), ("satellite", 44): ("missing", 0),
    ("satellite", 10): ("late", 40), ("satellite", 33): ("late", 30), ("satellite", 20): ("twice", 1),
    ("satellite", 31): ("broken", 0), ("satellite", 36): ("another day", 3),
    ("satellite", 2): ("broken, then whole", 2),
    ("forecast", 9): ("missing", 0), ("forecast", 30): ("late", 20), ("forecast", 47): ("missing", 0),
}
"""What goes wrong by kind and number of the day: what, and its hours or days."""

OUTAGE = (50, 53)
"""Days between which nothing is delivered; all of it comes at the end."""


def point_weather(config: CaseConfig, seed: int = SEED) -> tuple[WeatherGenerator, np.ndarray, np.ndarray]:
    """Return the true weather at the points of the product, and their latitudes and longitudes."""
    whole = build_domain(config.domain)
    latitude = np.arange(np.floor((whole.latitude.min() - SPACING) * 10) / 10, whole.latitude.max() + SPACING, SPACING)
    longitude = np.arange(np.floor((whole.longitude.min() - SPACING) * 10) / 10, whole.longitude.max() + SPACING,
                          SPACING)
    rows, columns = np.meshgrid(latitude, longitude, indexing="ij")
    east = np.cos(np.deg2rad(latitude.mean()))
    start, end = config.time.start64 - DAY, config.time.end64 + (LEAD_DAYS + 1) * DAY
    weather = WeatherGenerator(rows.ravel(), columns.ravel(), 1500.0, EARTH * east * columns.ravel(),
                               EARTH * rows.ravel(), start, end, "temperate", seed)
    return weather, latitude, longitude


def hourly_fields(weather: WeatherGenerator, start: np.datetime64, hours: int) -> dict[str, np.ndarray]:
    """Return fields by name at the stamps 0 to ``hours`` after ``start``: instants, and sums of the hour before."""
    out: dict[str, list[np.ndarray]] = {}
    for stamp in range(hours + 1):
        moment = start + stamp * HOUR
        now, before = weather.weather(moment - HOUR // 2, 3600.0), weather.weather(moment - HOUR, 3600.0)
        record = {"t2m": now["air_temperature"], "q2m": now["specific_humidity"], "sp": now["surface_pressure"],
                  "si10": now["wind_speed"], "ssrd": 3600.0 * before["shortwave_down"],
                  "strd": 3600.0 * before["longwave_down"], "tp": 3.6 * (before["rain"] + before["snowfall"]),
                  "sf": 3.6 * before["snowfall"]}
        for name, values in record.items():
            out.setdefault(name, []).append(values)
    return {name: np.array(values) for name, values in out.items()}


def hours_of(fields: dict[str, np.ndarray], first: int, hours: int) -> dict[str, np.ndarray]:
    """Return the stamps ``first`` to ``first + hours`` of fields."""
    return {name: values[first:first + hours + 1] for name, values in fields.items()}


UNITS = {"t2m": "K", "q2m": "kg kg-1", "sp": "Pa", "si10": "m s-1", "ssrd": "J m-2", "strd": "J m-2", "tp": "m",
         "sf": "m"}


def with_errors(fields: dict[str, np.ndarray], key: tuple[int, ...], growth: np.ndarray) -> dict[str, np.ndarray]:
    """Return weather with errors of temperature, rain and sunshine that grow with ``growth`` [1], one per stamp."""
    draw = np.random.default_rng(key).standard_normal(3)
    growth = growth[:, None]
    rain = np.exp(0.5 * growth * draw[0] - 0.125 * growth**2)
    out = dict(fields)
    out["t2m"] = fields["t2m"] + growth * draw[1]
    out["tp"], out["sf"] = fields["tp"] * rain, fields["sf"] * rain
    out["ssrd"] = fields["ssrd"] * np.clip(1.0 + 0.1 * growth * draw[2], 0.5, 1.3)
    return out


def write_weather(path: Path, fields: dict[str, np.ndarray], start: np.datetime64, latitude: np.ndarray,
                  longitude: np.ndarray) -> None:
    """Write a file as ERA5 comes, one stamp an hour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hours = next(iter(fields.values())).shape[0]
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("valid_time", hours), ("latitude", latitude.size), ("longitude", longitude.size)):
            file.createDimension(name, size)
        time = file.createVariable("valid_time", "i8", ("valid_time",))
        time.units, time.calendar = "seconds since 1970-01-01", "proleptic_gregorian"
        time[:] = (start + np.arange(hours) * HOUR).astype("datetime64[s]").astype(np.int64)
        for name, values in (("latitude", latitude), ("longitude", longitude)):
            file.createVariable(name, "f8", (name,))[:] = values
        for name, values in fields.items():
            field = file.createVariable(name, "f4", ("valid_time", "latitude", "longitude"), zlib=True)
            field.units = UNITS[name]
            field[:] = values.reshape(hours, latitude.size, longitude.size)


def make_archive(case: Path, archive: Path, days: int, overrides: tuple[str, ...] = (), members: int = MEMBERS,
                 lead: int = LEAD_DAYS) -> None:
    """Write all files of ``days`` days and the observations of a truth that final weather drives."""
    start = load_case(case, overrides).time.start64
    changes = [*overrides, f"time.end={start + days * DAY}", "cycle=null", f"forcing.path={archive}/{WHOLE}"]
    config = load_case(case, [*changes, "observations=[]", "assimilation.filter=none"])
    weather, latitude, longitude = point_weather(config)
    true = hourly_fields(weather, start, 24 * (days + lead))
    write_weather(archive / WHOLE, hours_of(true, 0, 24 * days), start, latitude, longitude)
    for day in range(days):
        begin, name = start + day * DAY, f"weather_{stamp(start + day * DAY)}.nc"
        fields = hours_of(true, 24 * day, 24)
        write_weather(archive / "final" / name, fields, begin, latitude, longitude)
        early = with_errors(fields, (SEED, 1, day), np.full(25, 0.5))
        write_weather(archive / "early" / name, early, begin, latitude, longitude)
    for day in range(-1, days):  # a forecast begins at the end of the cycle of its day
        begin = start + (day + 1) * DAY
        fields = hours_of(true, 24 * (day + 1), 24 * lead)
        growth = 0.5 + 0.5 * np.sqrt(np.arange(24 * lead + 1) / 24.0)
        for member in range(1, members + 1):
            write_weather(archive / "forecast" / f"weather_{stamp(begin)}_{member:02d}.nc",
                          with_errors(fields, (SEED, 2, day + 1, member), growth), begin, latitude, longitude)
    twin = ("{name: satellite, type: soil_moisture, depth: [0, 5 cm], error: 0.03, every: 12 h, "
            "twin: {seed: 77, coverage: 0.6}}")
    truth = archive / "truth"
    observe_truth(load_case(case, [*changes, f"observations=[{twin}]"]), truth)
    table = read_table(truth / "observed_satellite.nc")
    for day in range(days):
        begin = start + day * DAY
        rows = np.flatnonzero((table.time > begin) & (table.time <= begin + DAY))
        (archive / "satellite").mkdir(exist_ok=True)
        write_table(archive / "satellite" / f"soil_moisture_{stamp(begin)}.nc", table.rows(rows))


def stamp(moment: np.datetime64) -> str:
    """Return the date as it stands in names."""
    return str(moment.astype("datetime64[D]")).replace("-", "")


def make_schedule(start: np.datetime64, days: int, members: int = MEMBERS, faults: dict | None = None,
                  outage: tuple[int, int] = OUTAGE, late: dict | None = None) -> list[dict]:
    """Return what is delivered when: time, file of the archive, file of incoming, and what is done to it."""
    faults, events, hours = FAULTS if faults is None else faults, [], LATE | (late or {})
    for kind in LATE:
        for day in range(-1 if kind == "forecast" else 0, days):
            fault, amount = faults.get((kind, day), ("", 0))
            names = {
                "forecast": [f"weather_{stamp(start + (day + 1) * DAY)}_{one:02d}.nc" for one in range(1, members + 1)],
                "satellite": [f"soil_moisture_{stamp(start + day * DAY)}.nc"],
            }.get(kind, [f"weather_{stamp(start + day * DAY)}.nc"])
            usual = start + (day + 1) * DAY + hours[kind] * HOUR
            for name in names:
                one = {"time": usual, "source": f"{kind}/{name}", "target": f"{kind}/{name}", "broken": False}
                if fault == "missing":
                    continue
                if fault == "late":
                    one["time"] = usual + amount * HOUR
                if fault in ("broken", "broken, then whole"):
                    one["broken"] = True
                if fault == "another day":
                    other = stamp(start + (day - amount) * DAY)
                    one["source"] = f"{kind}/{name.replace(stamp(start + day * DAY), other)}"
                events.append(one)
                if fault == "broken, then whole":
                    events.append({**one, "time": usual + amount * HOUR, "broken": False})
                if fault == "twice":
                    again = f"{kind}/{name.replace('.nc', '_again.nc')}"
                    events.append({**one, "time": usual + amount * HOUR, "target": again})
    begin, end = (start + day * DAY for day in outage)
    for one in events:
        if begin <= one["time"] < end:
            one["time"] = end
    events.sort(key=lambda one: (one["time"], one["target"]))
    return [{**one, "time": str(one["time"].astype("datetime64[s]"))} for one in events]


def release(archive: Path, incoming: Path, now: np.datetime64) -> int:
    """Bring ``incoming`` to what is there at a time; return how many files were delivered. Safe to repeat."""
    events = json.loads((archive / "schedule.json").read_text())
    delivered = 0
    for one in events:
        moment = np.datetime64(one["time"], "s")
        target, seconds = incoming / one["target"], int(moment.astype(np.int64))
        if moment > now or moment < now - KEPT_DAYS * DAY:
            if moment <= now:
                target.unlink(missing_ok=True)
            continue
        if target.exists() and target.stat().st_mtime >= seconds:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.part")
        shutil.copyfile(archive / one["source"], aside)
        if one["broken"]:
            with aside.open("r+b") as file:
                file.truncate(aside.stat().st_size // 2)
        os.utime(aside, (seconds, seconds))
        aside.replace(target)
        delivered += 1
    return delivered


def main() -> None:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, default=HERE / "archive")
    parser.add_argument("--incoming", type=Path, default=HERE / "incoming")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("make").add_argument("--days", type=int, default=60)
    what.add_parser("release").add_argument("date")
    given = parser.parse_args()
    if given.what == "make":
        start = load_case(HERE).time.start64
        make_archive(HERE, given.archive, given.days)
        (given.archive / "schedule.json").write_text(json.dumps(make_schedule(start, given.days), indent=1))
    else:
        release(given.archive, given.incoming, np.datetime64(given.date, "s"))


if __name__ == "__main__":
    main()
