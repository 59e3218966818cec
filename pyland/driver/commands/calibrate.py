"""``pyland calibrate CASE``: estimate parameters of a case, and say what that is worth."""

from __future__ import annotations

import csv
import io
import time as clock
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.assimilate.sampling import Chains, convergence
from pyland.base.errors import InputError, UnavailableError
from pyland.base.logging import get_logger, start_file_log
from pyland.base.parallel import Communicator
from pyland.base.text import significant
from pyland.config import CaseConfig
from pyland.config.calibration import SAMPLERS, CalibrateSection
from pyland.config.load import config_hash
from pyland.domain.grid import build_domain
from pyland.driver.analysis.observing import read_sets
from pyland.driver.calibration.estimation import STATE, Estimation, Progress, Screened, Smoothed
from pyland.driver.calibration.outcome_files import (
    BEST,
    CHAIN,
    POSTERIOR,
    PREDICTED,
    long_name,
    write_best_case,
    write_chains,
    write_members,
    write_predicted,
)
from pyland.driver.calibration.problem import CalibrationProblem, Number
from pyland.driver.calibration.skill import Prediction, skill_table, spread_of
from pyland.driver.run import observe_truth, set_threads
from pyland.observe import ObservationSet
from pyland.output.atomic import complete_file, write_json

PRIOR_DRAWS = 1000
"""Draws of the prior that stand in chain.nc, for figures."""

R_HAT_LIMIT = 1.01
"""Largest R-hat of chains that have converged (Vehtari et al. 2021)."""

LEAST_SIZE_PER_CHAIN = 50
"""Effective draws that each chain should be worth at least (Vehtari et al. 2021: 400 for eight half chains)."""

_log = get_logger("calibrate")


def calibrate(
    config: CaseConfig, comm: Communicator, *, resume: bool = False, output: str | Path | None = None,
    progress: Progress | None = None, figures: bool = True,
) -> tuple[str, list[Path]]:
    """Estimate the parameters of section ``calibrate``.

    Parameters
    ----------
    config : CaseConfig
        The case.
    comm : Communicator
        Ranks: one; members share the threads.
    resume : bool
        Go on from the state of an earlier call; the result has the bits of a call in one piece.
    output : path, optional
        Folder of the results; ``run/calibrate`` below the case by default.
    progress : callable, optional
        Called with the share that is done [1] and a text.
    figures : bool
        Whether figures are drawn, which needs matplotlib.

    Returns
    -------
    text : str
        Tables in Markdown.
    files : list of Path
        What was written.

    Raises
    ------
    InputError
        If the case has no section ``calibrate``, or does not fit its observations.
    UnavailableError
        On several ranks.
    """
    section = config.calibrate
    if section is None:
        raise InputError(f"{config.case.name}: expected a section calibrate with parameters and observations, got "
                         "none; docs/guide/calibration.md has an example.")
    if comm.size > 1:
        raise UnavailableError(f"pyland calibrate runs in one process, got {comm.size} ranks. Use threads "
                               "(OMP_NUM_THREADS or parallel.threads): all chains are columns of one model call.")
    folder = Path(output) if output is not None else config.run_directory / "calibrate"
    folder.mkdir(parents=True, exist_ok=True)
    set_threads(config, comm)
    start_file_log(folder / "pyland.log", comm.rank, comm.size, append=resume)
    if not resume:
        (folder / STATE).unlink(missing_ok=True)
    began = clock.perf_counter()
    sets = _observations(config, folder, comm)
    members = section.members // 2 if section.method == "stretch" else section.members
    problem = CalibrationProblem(config, comm, sets, members)
    show = progress or (lambda done, text: None)
    found = Estimation(problem, folder, resume, show).run()
    attrs = {"title": config.case.name, "method": section.method, "seed": section.seed,
             "config_hash": config_hash(config), "source": "pyland calibrate"}
    report: dict[str, Any] = {"method": section.method, "members": section.members, "failed_runs": problem.failures}
    if isinstance(found, Screened):
        text, files = _screened(found, problem, folder, report)
    elif isinstance(found, Chains):
        text, files = _sampled(found, problem, folder, report, attrs)
    else:
        text, files = _smoothed(found, problem, folder, report, attrs)
    report["wall_seconds"] = clock.perf_counter() - began
    write_json(folder / "summary.json", report)
    files.insert(0, folder / "summary.json")
    return text, files + (_draw(folder, section) if figures else [])


def _observations(config: CaseConfig, folder: Path, comm: Communicator) -> list[ObservationSet]:
    """Return the observations of the entries that are wanted, from files or a truth."""
    wanted = {one.entry for one in config.calibrate.observations if one.entry is not None}
    entries = [entry for entry in config.observations if entry.name in wanted]
    sets: list[ObservationSet] = []
    if any(entry.file is not None for entry in entries):
        alone = config.model_copy(update={"observations": [one for one in entries if one.file is not None]})
        sets += read_sets(alone, build_domain(config.domain))
    if any(entry.twin is not None for entry in entries):
        sets += [one for one in observe_truth(config, folder, comm=comm) if one.name in wanted]
    return sets


# ---- samplers ------------------------------------------------------------------------------------------


def _sampled(
    chains: Chains, problem: CalibrationProblem, folder: Path, report: dict[str, Any], attrs: Mapping[str, Any]
) -> tuple[str, list[Path]]:
    """Write what a sampler has found."""
    section, numbers = problem.section, problem.numbers
    burn_in = int(section.burn_in * section.generations)
    kept = chains.after(burn_in)
    values = problem.values(chains.draws)
    prior = problem.values(problem.draw(PRIOR_DRAWS, "shown"))
    judged = convergence(kept)
    flat = kept.reshape(-1, kept.shape[-1])
    best = _best(chains)
    rows = _rows(numbers, values[burn_in:].reshape(flat.shape), prior, problem.values(best[None])[0])
    for place, row in enumerate(rows):
        row |= {"r_hat": judged.r_hat[place], "bulk_size": judged.bulk_size[place],
                "tail_size": judged.tail_size[place], "autocorrelation_time": judged.autocorrelation_time[place]}
    _warn_of_chains(rows, section)
    write_chains(folder / CHAIN, chains, burn_in, numbers, values, prior, attrs)
    report |= {"parameters": {row["name"]: row for row in rows}, "generations": len(chains.draws), "burn_in": burn_in,
               "acceptance": float(chains.accepted[burn_in:].mean()),
               "largest_log_posterior": float(chains.log_densities.max())}
    posterior = flat[spread_of(flat, section.predicted_members)]
    text, files = _predicted(problem, best, problem.draw(section.predicted_members, "predicted"), posterior, folder,
                             report, attrs, rows)
    return _table(rows) + "\n\n" + text, [folder / CHAIN, *files]


def _best(chains: Chains) -> np.ndarray:
    """Return the draw of the largest posterior density."""
    place = np.unravel_index(chains.log_densities.argmax(), chains.log_densities.shape)
    return chains.draws[place]


def _warn_of_chains(rows: list[dict[str, Any]], section: CalibrateSection) -> None:
    """Say which parameters have not converged."""
    least = LEAST_SIZE_PER_CHAIN * 8
    apart = [row["name"] for row in rows if not row["r_hat"] <= R_HAT_LIMIT]
    if apart:
        _log.warning("chains have not converged for %s (R-hat above %g): give more calibrate.generations, now %d, and "
                     "go on with --resume", ", ".join(apart), R_HAT_LIMIT, section.generations)
    few = [row["name"] for row in rows if row["bulk_size"] < least or row["tail_size"] < least]
    if few:
        _log.warning("fewer than %d effective draws for %s: means and quantiles are rough", least, ", ".join(few))


def _rows(numbers: list[Number], posterior: np.ndarray, prior: np.ndarray, best: np.ndarray) -> list[dict[str, Any]]:
    """Return a row of the summary for each number."""
    out = []
    for place, number in enumerate(numbers):
        mine, before = posterior[:, place], prior[:, place]
        quantiles = dict(zip(("q05", "q50", "q95"), np.quantile(mine, (0.05, 0.5, 0.95)), strict=True))
        out.append({"name": number.name, "kind": number.kind, "units": number.units, "long_name": long_name(number),
                    "prior_mean": before.mean(), "prior_std": before.std(ddof=1), "mean": mine.mean(),
                    "std": mine.std(ddof=1), **quantiles, "best": best[place]})
    return out


# ---- smoothers -----------------------------------------------------------------------------------------


def _smoothed(
    found: Smoothed, problem: CalibrationProblem, folder: Path, report: dict[str, Any], attrs: Mapping[str, Any]
) -> tuple[str, list[Path]]:
    """Write what a smoother has found; its best member is the mean."""
    before, after = (problem.parameters.values(one) for one in (found.prior, found.posterior))
    best = found.posterior.mean(axis=0)
    middle = problem.parameters.values(best[None])
    rows = []
    for block in problem.parameters.blocks:
        for place, label in enumerate(block.labels):
            part = slice(place, place + 1) if block.edges else slice(None)
            old, new, mean = (one[block.name][:, part] for one in (before, after, middle))
            number = Number(label, block.kind, block.units, block.name)
            rows.append({"name": label, "kind": block.kind, "units": block.units, "long_name": long_name(number),
                         "prior_mean": old.mean(), "prior_std": old.std(axis=0, ddof=1).mean(), "mean": new.mean(),
                         "std": new.std(axis=0, ddof=1).mean(), "best": mean.mean()})
    report |= {"parameters": {row["name"]: row for row in rows}, "misfits": list(found.misfits),
               "message": found.message, "members_left": len(found.posterior)}
    count = problem.section.predicted_members
    prior, posterior = (one[spread_of(one, count)] for one in (found.prior, found.posterior))
    text, files = _predicted(problem, best, prior, posterior, folder, report, attrs, rows)
    write_members(folder / "prior.nc", problem.parameters.fields(prior), problem.setup, attrs)
    misfits = ", ".join(significant(one, 3) for one in found.misfits)
    return f"{_table(rows)}\n\n{found.message}; misfits {misfits}\n\n{text}", [*files, folder / "prior.nc"]


def _predicted(
    problem: CalibrationProblem, best: np.ndarray, prior: np.ndarray, posterior: np.ndarray, folder: Path,
    report: dict[str, Any], attrs: Mapping[str, Any], rows: list[dict[str, Any]],
) -> tuple[str, list[Path]]:
    """Run case, best, prior and posterior through all periods; write parameters, predictions and skill."""
    parameters = problem.parameters
    prediction = Prediction(problem, best, prior, posterior)
    report["skill"] = prediction.skill()
    write_predicted(folder / PREDICTED, prediction.targets, prediction.predicted, prediction.rows, attrs)
    for name, standard in ((POSTERIOR, posterior), (BEST, best[None])):
        write_members(folder / name, parameters.fields(standard[:, :parameters.size]), problem.setup, attrs)
    case = write_best_case(folder, problem.config, {
        row["name"]: f"{significant(row['best'], 4)} {row['units']} ({row['kind']})" for row in rows})
    table = folder / "summary.csv"
    with complete_file(table) as partial:
        partial.write_text(_comma_separated(rows), encoding="utf-8")
    files = [table, folder / POSTERIOR, folder / BEST, case, folder / PREDICTED]
    return skill_table(report["skill"]), files


# ---- screening -----------------------------------------------------------------------------------------


def _screened(
    found: Screened, problem: CalibrationProblem, folder: Path, report: dict[str, Any]
) -> tuple[str, list[Path]]:
    """Write elementary effects."""
    rows = [{"output": name, "units": found.units[out], "name": number.name, "mu": found.effects.mu[out, place],
             "mu_star": found.effects.mu_star[out, place], "sigma": found.effects.sigma[out, place],
             "mu_star_error": found.effects.mu_star_error[out, place]}
            for out, name in enumerate(found.outputs) for place, number in enumerate(problem.numbers)]
    report |= {"points": found.points, "effects": rows}
    table = folder / "morris.csv"
    with complete_file(table) as partial:
        partial.write_text(_comma_separated(rows), encoding="utf-8")
    lines = ["| output | " + " | ".join(number.name for number in problem.numbers) + " |",
             "|---" * (len(problem.numbers) + 1) + "|"]
    for out, name in enumerate(found.outputs):
        cells = [f"{significant(found.effects.mu_star[out, place], 3)} ± "
                 f"{significant(found.effects.mu_star_error[out, place], 2)}" for place in range(len(problem.numbers))]
        lines.append(f"| {name} [{found.units[out]}] | " + " | ".join(cells) + " |")
    return "mu* of the range of each parameter:\n\n" + "\n".join(lines), [table]


# ---- tables and figures --------------------------------------------------------------------------------


def _table(rows: list[dict[str, Any]]) -> str:
    """Return the summary as a Markdown table."""
    has_chains = "r_hat" in rows[0]
    head = "| parameter | prior | posterior | best |" + (" R-hat | bulk ESS | tail ESS |" if has_chains else "")
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for row in rows:
        name = row["name"] + (f" ({row['kind']})" if row["kind"] in ("factor", "shift") else "")
        cells = [f"{name} [{row['units']}]",
                 f"{significant(row['prior_mean'], 3)} ± {significant(row['prior_std'], 2)}",
                 f"{significant(row['mean'], 3)} ± {significant(row['std'], 2)}", significant(row["best"], 3)]
        if has_chains:
            cells += [f"{row['r_hat']:.3f}", f"{row['bulk_size']:.0f}", f"{row['tail_size']:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _comma_separated(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _draw(folder: Path, section: CalibrateSection) -> list[Path]:
    """Draw the figures that the method has."""
    from pyland.view.calibration_chains import plot_corner, plot_traces
    from pyland.view.calibration_predictions import plot_effects, plot_predictions

    if section.method in SAMPLERS:
        return [plot_traces(folder / CHAIN, folder / "trace.png"), plot_corner(folder / CHAIN, folder / "corner.png"),
                plot_predictions(folder / PREDICTED, folder / "predictions.png")]
    if section.method == "morris":
        return [plot_effects(folder / "morris.csv", folder / "morris.png")]
    return [plot_predictions(folder / PREDICTED, folder / "predictions.png")]
