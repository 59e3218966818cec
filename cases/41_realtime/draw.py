"""Draws what a replayed cycle was made of, how late it came, and how good it was: cycle/figures/replay.png."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from deliver import DAY, HERE
from replay import newest_products, soil_water

from pyland.view.style import ANALYSIS, OPEN_LOOP, PEERS, TRUTH

CYCLE = HERE / "cycle"
COLOURS = {"final": ANALYSIS, "early": "#56B4E9", "forecast": OPEN_LOOP, "near_real_time": "#009E73", None: "#DDDDDD"}
WORDS = {"final": "final", "early": "early", "forecast": "weather forecast", "near_real_time": "satellite there",
         None: "missing"}


def moment_of(name: str) -> np.datetime64:
    """Return the end of a cycle by the name of its product."""
    return np.datetime64(f"{name[:4]}-{name[4:6]}-{name[6:11]}:{name[11:13]}", "s")


def draw_inputs(axis: plt.Axes, published: list[dict]) -> None:
    """Show the streams of first and newest versions, cycle by cycle."""
    firsts = [one["name"] for one in published if "_v" not in one["name"]]
    newest = newest_products(CYCLE / "products")
    kept = json.loads((CYCLE / "state.json").read_text())["records"]
    first_inputs = {}
    for line in (CYCLE / "log").read_text().splitlines():
        name, _, rest = line.split(" ", 1)[1].partition(": published, ")
        first_inputs[name] = dict(part.split(": ") for part in rest.split(", "))
    rows = [("weather, at first", lambda name: first_inputs[name]["weather"]),
            ("weather, newest", lambda name: newest_inputs[name[:13]]["weather"]),
            ("satellite, at first", lambda name: first_inputs[name]["observations/satellite"]),
            ("satellite, newest", lambda name: newest_inputs[name[:13]]["observations/satellite"])]
    newest_inputs = {name[:13]: first_inputs[name] for name in newest}
    assert kept, "no cycle is done"
    shown = set()
    for row, (_, stream_of) in enumerate(rows):
        for name in firsts:
            stream = stream_of(name)
            stream = None if stream == "none" else stream
            axis.barh(row, 0.9, left=mdates.date2num(moment_of(name)) - 0.95, height=0.8, color=COLOURS[stream],
                      label=WORDS[stream] if stream not in shown else None)
            shown.add(stream)
    axis.set_yticks(range(len(rows)), [label for label, _ in rows])
    axis.invert_yaxis()
    axis.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)


def draw_delays(axis: plt.Axes, published: list[dict]) -> None:
    """Show when each version came out after the end of its cycle."""
    for is_first, colour, label in ((False, PEERS[2], "later versions"), (True, ANALYSIS, "first version")):
        some = [one for one in published if ("_v" not in one["name"]) == is_first]
        times = [moment_of(one["name"]) for one in some]
        hours = [(np.datetime64(one["now"]) - moment) / np.timedelta64(3600, "s")
                 for one, moment in zip(some, times, strict=True)]
        axis.plot(times, hours, "o", ms=4 if is_first else 3, color=colour, label=label)
    axis.set_ylabel("published after\nthe end of the cycle [h]")
    axis.set_ylim(0, None)
    axis.legend(frameon=False, loc="upper left", ncols=2)


def draw_water(axis: plt.Axes) -> None:
    """Show soil water of the truth, the newest analyses and some forecasts."""
    depth = (0.0, 0.05)
    times, true = soil_water(HERE / "archive" / "truth" / "truth.nc", depth)
    axis.plot(times, true.mean(axis=1), color=TRUTH, lw=1.4, label="truth")
    names = newest_products(CYCLE / "products")
    parts = [soil_water(CYCLE / "products" / name / "analysis.nc", depth) for name in names]
    axis.plot(np.concatenate([when for when, _ in parts]), np.concatenate([mean.mean(axis=1) for _, mean in parts]),
              color=ANALYSIS, lw=1.4, label="analysis")
    for number, name in enumerate(names):
        folder = CYCLE / "products" / name
        if number % 5 == 4 and (folder / "forecast.nc").exists():
            then, mean = soil_water(folder / "forecast.nc", depth)
            low, high = (soil_water(folder / "forecast.nc", depth, f"soil_water_{one}")[1].mean(axis=1)
                         for one in ("p05", "p95"))
            label = "forecast, mean and 5-95 %" if number == 4 else None
            axis.plot(then, mean.mean(axis=1), color=OPEN_LOOP, lw=1.2, label=label)
            axis.fill_between(then, low, high, color=OPEN_LOOP, alpha=0.25, lw=0)
    axis.set_ylabel("soil water 0-5 cm\n[m$^3$ m$^{-3}$]")
    axis.legend(frameon=False, ncols=3, loc="upper left")
    axis.set_ylim(None, axis.get_ylim()[1] + 0.03)


def draw_skill(axis: plt.Axes) -> None:
    """Show the error of forecasts by lead time, and that of persistence."""
    with (CYCLE / "hindcast" / "skill.csv").open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for colour, (quantity, label) in zip((ANALYSIS, PEERS[0]), (("soil_water_0_5cm", "0-5 cm"),
                                                                ("soil_water_5_100cm", "5-100 cm")), strict=True):
        some = [row for row in rows if row["quantity"] == quantity]
        lead = [float(row["lead_hours"]) / 24.0 for row in some]
        error = np.array([float(row["rmse"]) for row in some])
        axis.plot(lead, error, "o-", color=colour, label=f"{label}: forecast")
        skill = np.array([float(row["skill_persistence"]) for row in some])
        axis.plot(lead, error / np.sqrt(1.0 - skill), "s--", color=colour, mfc="none", label=f"{label}: persistence")
    axis.set_xlabel("lead time [days]")
    axis.set_ylabel("RMSE against later\nanalyses [m$^3$ m$^{-3}$]")
    axis.set_xlim(0.5, 3.5)
    axis.set_xticks([1, 2, 3])
    axis.set_ylim(0, None)
    axis.legend(frameon=False, ncols=2, fontsize=8)


def main() -> None:
    """Draw the figure."""
    published = json.loads((CYCLE / "replay.json").read_text())["published"]
    figure, axes = plt.subplots(4, 1, figsize=(9, 10.5), layout="constrained",
                                height_ratios=[1.1, 1.0, 1.3, 1.2])
    draw_inputs(axes[0], published)
    draw_delays(axes[1], published)
    draw_water(axes[2])
    draw_skill(axes[3])
    first, last = (moment_of(published[place]["name"]) for place in (0, -1))
    for axis in axes[:3]:
        axis.set_xlim(first - DAY, last + 3 * DAY)
        axis.xaxis.set_major_locator(mdates.WeekdayLocator(byweekday=mdates.FR))
        axis.xaxis.set_major_formatter(mdates.DateFormatter("%d %b"))
    axes[2].set_xlabel(f"{first.astype('datetime64[Y]')} (UTC)")
    (CYCLE / "figures").mkdir(exist_ok=True)
    figure.savefig(CYCLE / "figures" / "replay.png", dpi=150)
    print(CYCLE / "figures" / "replay.png")


if __name__ == "__main__":
    main()
