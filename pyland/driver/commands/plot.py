"""``pyland plot CASE``: every figure that the files of a run allow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyland.base.errors import InputError
from pyland.diagnose.analysis_file import ASSIMILATED, read_observed_ensemble
from pyland.diagnose.flow import is_domain_balance
from pyland.diagnose.peers import find_peers
from pyland.diagnose.records import read_file
from pyland.driver.commands.case_files import CaseFiles, find_case_files
from pyland.driver.commands.diagnose import estimated_parameters
from pyland.view.departure_maps import has_map, plot_departure_maps
from pyland.view.departures_series import plot_departures
from pyland.view.ensemble_series import plot_soil_water_series
from pyland.view.error_reduction import plot_error_reduction
from pyland.view.flow_maps import VARIABLES as FLOW_VARIABLES
from pyland.view.flow_maps import plot_flow_maps
from pyland.view.flow_section import is_section, plot_flow_section
from pyland.view.hydrograph import plot_hydrographs
from pyland.view.increment_maps import has_increments, plot_increments
from pyland.view.land_fluxes import has_land_fluxes, plot_land_fluxes
from pyland.view.parameter_twin import plot_parameters
from pyland.view.rank_histograms import has_ranks, plot_rank_histograms
from pyland.view.shown_fields import Choice
from pyland.view.site_fluxes import DAILY_NAMES, DIURNAL_NAMES, plot_diurnal_cycle, plot_site_days
from pyland.view.snow_series import has_snow, plot_snow_series
from pyland.view.soil_moisture_maps import plot_soil_moisture_maps
from pyland.view.spread_against_error import plot_assumed_errors, plot_spread_against_error
from pyland.view.water_table_twin import TABLE, plot_water_table_twin

HOURS_OF_A_CYCLE = 3
"""Longest output interval that still shows a diurnal cycle [h]."""

PROBES = ("SoilMoist_5cm", "SoilMoist_15cm")
"""ALMA names of the depths that the figure of soil water shows."""


def plot(
    case_dir: str | Path,
    *,
    output: str | Path | None = None,
    station: str | Path | None = None,
    folder: str | Path | None = None,
) -> list[Path]:
    """Draw the figures of a run.

    Parameters
    ----------
    case_dir : str or Path
        Case or run directory.
    output : str or Path, optional
        Run directory, if not ``run`` below the case.
    station : str or Path, optional
        Station file to compare with; by default the one that drove the run.
    folder : str or Path, optional
        Where the PNG files go; ``figures`` in the run directory by default.

    Returns
    -------
    list of Path
        The figures, in the order in which a reader looks at them.
    """
    files = find_case_files(case_dir, output)
    target = Path(folder) if folder is not None else files.run_dir / "figures"
    balance = files.find("balance.nc")
    if balance is not None and is_domain_balance(balance):
        if station is not None:
            raise InputError("--station: a run of the distributed subsurface is not compared with a station.")
        drawn = _plot_water_table(files, target) + _plot_twin(files, target) + _plot_parameters(files, target)
        drawn += _plot_flow(files, target)
        return drawn + _plot_observations(files, target)
    station_file = Path(station) if station is not None else files.station
    drawn = _plot_twin(files, target) + _plot_parameters(files, target)
    if station_file is not None:
        drawn += _plot_site(files, station_file, target)
    if not drawn:
        drawn = _plot_alone(files, target)
    return drawn + _plot_observations(files, target)


def _plot_twin(files: CaseFiles, target: Path) -> list[Path]:
    """Draw what needs a known truth."""
    truth, open_loop = files.find("truth.nc"), files.find("open_loop/history.nc")
    if truth is None or open_loop is None:
        return []
    history = files.need("history.nc")
    drawn = []
    if "x" in read_file(history).dims:
        drawn.append(plot_soil_moisture_maps(truth, open_loop, history, target / "soil_moisture_maps.png"))
    drawn.append(
        plot_soil_water_series(
            history,
            target / "soil_moisture_series.png",
            open_loop=open_loop,
            truth=truth,
            observations=files.find("analysis.nc"),
        )
    )
    drawn.append(plot_error_reduction(truth, open_loop, history, target / "error_reduction.png"))
    return drawn


def _plot_parameters(files: CaseFiles, target: Path) -> list[Path]:
    """Draw the parameters that the filter estimated, where the truth is known and the histories hold them."""
    truth, names = files.find("truth.nc"), estimated_parameters(files)
    if truth is None or not names:
        return []
    history = files.need("history.nc")
    held = [name for name in names if name in read_file(truth) and f"{name}_std" in read_file(history)]
    if not held:
        return []
    return [plot_parameters(
        truth, history, held, target / "parameters.png", open_loop=files.find("open_loop/history.nc"))]


def _plot_water_table(files: CaseFiles, target: Path) -> list[Path]:
    """Draw the water table of a twin experiment over the distributed subsurface, and its hydrograph."""
    truth, open_loop, history = files.find("truth.nc"), files.find("open_loop/history.nc"), files.need("history.nc")
    if truth is None or open_loop is None or TABLE not in read_file(history):
        return []
    flows = [files.find(name) for name in ("truth_discharge.nc", "open_loop/discharge.nc", "discharge.nc")]
    return [plot_water_table_twin(
        truth, open_loop, history, target / "water_table.png", observations=files.find("analysis.nc"),
        discharges=[one for one in flows if one is not None] if all(flows) else [])]


def _plot_site(files: CaseFiles, station: Path, target: Path) -> list[Path]:
    """Draw what needs a station."""
    history, open_loop = files.need("history.nc"), files.find("open_loop/history.nc")
    drawn = []
    if _measured(station, DAILY_NAMES):
        drawn.append(plot_site_days(history, station, target / "daily.png", open_loop=open_loop))
    data = read_file(history)
    hours = (data["time_bounds"][0, 1] - data["time_bounds"][0, 0]).values.astype("timedelta64[h]").astype(int)
    if hours <= HOURS_OF_A_CYCLE and _measured(station, DIURNAL_NAMES, axis="time"):
        drawn.append(plot_diurnal_cycle(history, station, target / "diurnal_cycle.png", open_loop=open_loop))
    if "snow_mass" in data and has_snow(station):
        others = [find_peers(station)]
        drawn.append(plot_snow_series([(history, station)], target / "snow.png", peers=others))
    if "soil_water" in data and _measured(station, PROBES):
        drawn.append(
            plot_soil_water_series(
                history,
                target / "soil_moisture_probes.png",
                open_loop=open_loop,
                station=station,
                observations=files.find("analysis.nc"),
            )
        )
    return drawn


def _plot_observations(files: CaseFiles, target: Path) -> list[Path]:
    """Draw what the observations of an assimilation say of the ensemble."""
    analysis = files.find("analysis.nc")
    if analysis is None:
        return []
    data = read_observed_ensemble(analysis)
    if not data.group(ASSIMILATED).any():
        return []
    drawn = [plot_departures(data, target / "departures.png"),
             plot_spread_against_error(data, target / "spread_against_error.png"),
             plot_assumed_errors(data, target / "assumed_errors.png")]
    if has_ranks(data):
        drawn.append(plot_rank_histograms(data, target / "rank_histograms.png"))
    if has_map(data):
        drawn.append(plot_departure_maps(data, target / "departure_maps.png"))
    if has_increments(analysis):
        drawn.append(plot_increments(analysis, target / "increments.png", Choice("soil_water")))
    return drawn


def _plot_flow(files: CaseFiles, target: Path) -> list[Path]:
    """Draw a run of the distributed subsurface: maps, or the section of a line of cells, and hydrographs."""
    history, discharge = files.need("history.nc"), files.find("discharge.nc")
    drawn = []
    if is_section(history):
        drawn.append(plot_flow_section(history, target / "flow_section.png"))
    elif any(name in read_file(history) for name in FLOW_VARIABLES):
        drawn.append(plot_flow_maps(history, target / "flow_maps.png"))
    if has_land_fluxes(history) and not is_section(history):
        drawn.append(plot_land_fluxes(history, target / "land_fluxes.png"))
    balance = files.need("balance.nc")
    drawn.append(plot_hydrographs(balance, target / "hydrograph.png", discharge=discharge))
    return drawn


def _plot_alone(files: CaseFiles, target: Path) -> list[Path]:
    """Draw a run that there is nothing to compare with."""
    history = files.need("history.nc")
    if "soil_water" not in read_file(history):
        raise InputError(f"{history}: nothing to draw; add soil_water to output.variables.")
    return [plot_soil_water_series(history, target / "soil_moisture_series.png")]


def _measured(station: Path, names: Sequence[str], axis: str | None = None) -> bool:
    """Tell whether a station measured one of some variables, on a certain time axis if one is named."""
    with read_file(station) as data:
        return any(name in data and (axis is None or axis in data[name].dims) for name in names)
