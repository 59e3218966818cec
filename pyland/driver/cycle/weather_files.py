"""Weather files of a period: copied, looked at as the run will read them, and taken only if they cover it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError, PylandError
from pyland.config import CaseConfig
from pyland.config.cycle import ForecastSection, StreamSection
from pyland.config.forcing import GRIDDED, ForcingSection
from pyland.domain import Domain
from pyland.driver.cycle.arrivals import Arrivals
from pyland.driver.cycle.file_patterns import FoundFile
from pyland.driver.cycle.staged_files import StagedFile
from pyland.driver.inputs import open_weather
from pyland.forcing import Forcing
from pyland.forcing.product_file import ProductFile, scan_file
from pyland.forcing.products import PRODUCTS

Stream = StreamSection | ForecastSection


def format_of(config: CaseConfig, stream: Stream) -> str:
    """Return the format of the files of a stream."""
    return stream.format or config.forcing.format


def generated_section(config: CaseConfig, stream: Stream) -> ForcingSection:
    """Return section ``forcing`` for weather of a climate."""
    return config.forcing.model_copy(update={
        "format": "generator", "path": None, "variables": {}, "generator": stream.generator})


def file_section(config: CaseConfig, stream: Stream, folder: Path) -> ForcingSection:
    """Return section ``forcing`` for the copies in a folder; a station file is alone there."""
    form = format_of(config, stream)
    path = folder if form in GRIDDED else next(iter(sorted(folder.iterdir())))
    return config.forcing.model_copy(update={
        "format": form, "path": str(path),
        "variables": config.forcing.variables if stream.variables is None else stream.variables})


def open_staged(
    config: CaseConfig, section: ForcingSection, domain: Domain, begin: np.datetime64, end: np.datetime64
) -> Forcing:
    """Open the weather of a period from its copies, or that of a climate.

    Raises
    ------
    InputError
        If it does not cover the period, or is not as its format has it.
    """
    return open_weather(config.model_copy(update={"forcing": section}), domain, until=end, since=begin)


def stage_weather(
    arrivals: Arrivals, stream: Stream, choices: Sequence[Sequence[FoundFile]], begin: np.datetime64,
    end: np.datetime64, folder: Path,
) -> list[StagedFile]:
    """Copy the first choice of files that covers a period.

    Parameters
    ----------
    arrivals : Arrivals
        What is there.
    stream : StreamSection or ForecastSection
        Says how the files are read.
    choices : sequence of sequences of FoundFile
        Files to try together, the first choice first: those that the names say are of the period, before others.
    begin, end : numpy.datetime64
        The period, UTC.
    folder : Path
        Where the copies go; empty again after an error.

    Raises
    ------
    InputError
        Why no choice will do, as the end of a sentence about the stream.
    """
    reason = "nothing has arrived"
    for found in choices:
        shutil.rmtree(folder, ignore_errors=True)
        staged = arrivals.stage([one for one in found if not arrivals.is_refused(one)], folder)
        if format_of(arrivals.config, stream) in GRIDDED:
            staged = _fitting(arrivals, stream, staged, {str(one.path): one for one in found}, begin, end, folder)
        if not staged:
            continue
        try:
            _read_through(arrivals.config, stream, arrivals.whole, begin, end, folder)
            return staged
        except PylandError as error:
            reason = _short(str(error), folder)
    shutil.rmtree(folder, ignore_errors=True)
    raise InputError(reason)


def _read_through(
    config: CaseConfig, stream: Stream, whole: Domain, begin: np.datetime64, end: np.datetime64, folder: Path
) -> None:
    """Read the weather of a period as the run will do."""
    weather = open_staged(config, file_section(config, stream, folder), whole, begin, end)
    step = np.timedelta64(round(config.time.step), "s")
    for moment in np.arange(begin, end, step):
        fields = weather.weather(moment, config.time.step)
        bad = [name for name, values in fields.items() if not np.isfinite(values).all()]
        if bad:
            raise InputError(f"{bad[0]} has no value at {moment} UTC in a part of the cells")


def _fitting(
    arrivals: Arrivals, stream: Stream, staged: Sequence[StagedFile], found: dict[str, FoundFile],
    begin: np.datetime64, end: np.datetime64, folder: Path,
) -> list[StagedFile]:
    """Leave out files of another time than their name says, and files that a later delivery replaces."""
    product = PRODUCTS[format_of(arrivals.config, stream)]
    given = arrivals.config.forcing.variables if stream.variables is None else stream.variables
    names = frozenset([*(name for one in product.quantities.values() for name in one.names), *given.values()])
    content: dict[StagedFile, ProductFile | None] = {}
    for one in staged:
        try:
            content[one] = scan_file(folder / one.name, names)
        except InputError as error:
            arrivals.refuse(one, _short(str(error), folder))
            (folder / one.name).unlink()
    margin = np.timedelta64(product.interval, "s")
    limits = [int(one.astype("datetime64[s]").astype(np.int64)) for one in (begin - margin, end + margin)]
    kept = {}
    for one, held in content.items():
        is_of_period = _is_claimed(found[one.source], begin, end)
        if held is not None and held.stamps.size and is_of_period and not (
                (held.stamps >= limits[0]) & (held.stamps <= limits[1])).any():
            first, last = (np.datetime64(int(stamp), "s") for stamp in (held.stamps.min(), held.stamps.max()))
            arrivals.refuse(one, f"its name stands for a time from {begin} to {end}, but it holds {first} to {last}")
            (folder / one.name).unlink()
            continue
        kept[one] = held
    for one in _replaced(kept):
        (folder / one.name).unlink()
        del kept[one]
    return list(kept)


def _is_claimed(found: FoundFile, begin: np.datetime64, end: np.datetime64) -> bool:
    """Whether the name of a file stands for a time within a period."""
    return found.claimed is not None and bool(begin <= found.claimed < end)


def _replaced(content: dict[StagedFile, ProductFile | None]) -> list[StagedFile]:
    """Return the files whose variables and stamps are all in a file that came later."""
    held = [(one, file) for one, file in content.items() if file is not None and file.stamps.size]
    held.sort(key=lambda pair: (pair[0].changed, pair[0].name))
    return [one for place, (one, file) in enumerate(held)
            if any(set(file.variables) <= set(later.variables) and np.isin(file.stamps, later.stamps).all()
                   for _, later in held[place + 1:])]


def _short(text: str, folder: Path) -> str:
    """Return a message without the folder of the copies."""
    return text.replace(f"{folder}/", "").replace(str(folder), "the files")
