"""What each URL of the data answers; the static export writes the same bytes into files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.view.web_server.catalogue import Catalogue
from pyland.view.web_server.downloads import download_map, download_series
from pyland.view.web_server.viewed_run import plain_series
from pyland.view.web_server.zone_balance import balance_of_cells, polygon_cells, polygon_of, read_period

JSON, BINARY = "application/json; charset=UTF-8", "application/octet-stream"

_NAME = r"([A-Za-z0-9_.-]{1,128})"
_NUMBER = r"(\d{1,9})"


@dataclass(frozen=True)
class Answer:
    """A body with its media type.

    Attributes
    ----------
    content : bytes
        Body.
    media_type : str
        Of the body.
    keeps : bool
        The browser may keep it for the version of the run that the query ``v`` names.
    file_name : str or None
        Name of a download.
    """

    content: bytes
    media_type: str = BINARY
    keeps: bool = False
    file_name: str | None = None


class Answers:
    """Answers of a catalogue; one method for each kind of URL.

    Parameters
    ----------
    catalogue : Catalogue
        Runs.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def routes(self) -> list[tuple[str, Callable[..., Answer]]]:
        """Return patterns of URLs and who answers them."""
        return [
            (r"/data/catalogue\.json", self.catalogue),
            (rf"/data/{_NAME}/index\.json", self.index),
            (rf"/data/{_NAME}/cycle\.json", self.cycle),
            (rf"/data/{_NAME}/grid/{_NAME}\.bin", self.grid),
            (rf"/data/{_NAME}/field/{_NAME}\.bin", self.field),
            (rf"/data/{_NAME}/range/{_NAME}/{_NAME}/{_NUMBER}\.json", self.range),
            (rf"/data/{_NAME}/map/{_NAME}/{_NAME}/{_NUMBER}/{_NUMBER}\.bin", self.map),
            (rf"/data/{_NAME}/series/{_NAME}/{_NUMBER}/{_NUMBER}_{_NUMBER}\.json", self.series),
            (rf"/data/{_NAME}/observations/{_NUMBER}_{_NUMBER}\.json", self.observations),
            (rf"/data/{_NAME}/zones/{_NAME}/balance\.json", self.zone),
            (rf"/data/{_NAME}/balance", self.polygon),
            (rf"/data/{_NAME}/download/series/{_NAME}/{_NUMBER}/{_NUMBER}_{_NUMBER}\.(csv|nc)", self.download_series),
            (rf"/data/{_NAME}/download/{_NAME}/{_NAME}/{_NUMBER}/{_NUMBER}\.(nc|csv|tif)", self.download_map),
        ]

    # ---- what there is -----------------------------------------------------------------------------

    def catalogue(self, *, query: Mapping[str, str]) -> Answer:
        """Answer ``catalogue.json``."""
        self._catalogue.refresh()
        return as_json(self._catalogue.describe())

    def index(self, run: str, *, query: Mapping[str, str]) -> Answer:
        """Answer ``index.json``."""
        return as_json(self._catalogue.run(run).index())

    def cycle(self, run: str, *, query: Mapping[str, str]) -> Answer:
        """Answer ``cycle.json``."""
        found = self._catalogue.run(run)
        if found.role != "cycle":
            raise InputError(f"{found.title} is no cycle.")
        out: dict[str, Any] = {}
        for name in ("status", "latency", "alarms"):
            path = found.folder / f"{name}.json"
            out[name] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        products = [one for one in self._catalogue.runs if one.role == "product" and one.parent == found.id]
        out["products"] = [{"run": one.id, "stamp": one.folder.name, "kind": one.records.paths[-1].stem}
                           for one in products if one.records.paths]
        if out["alarms"] is None and products:
            path = products[0].folder / "alarms.json"
            out["alarms"] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        return as_json(out)

    # ---- maps and series ---------------------------------------------------------------------------

    def grid(self, run: str, name: str, *, query: Mapping[str, str]) -> Answer:
        """Answer coordinates and areas of the cells."""
        found = self._catalogue.run(run)
        fields: dict[str, Callable[[], np.ndarray]] = {
            "latitude": lambda: found.grid.latitude, "longitude": lambda: found.grid.longitude,
            "cell_area": lambda: found.domain.area}
        if name not in fields:
            raise InputError(f"no coordinate '{name}'; there are {', '.join(fields)}.")
        return _as_field(fields[name]())

    def field(self, run: str, name: str, *, query: Mapping[str, str]) -> Answer:
        """Answer a static map."""
        return _as_field(self._catalogue.run(run).domain.field(name))

    def range(self, run: str, variable: str, statistic: str, layer: str, *, query: Mapping[str, str]) -> Answer:
        """Answer the range of colours."""
        return as_json(self._catalogue.run(run).range(variable, statistic, int(layer)), keeps=True)

    def map(
        self, run: str, variable: str, statistic: str, layer: str, index: str, *, query: Mapping[str, str]
    ) -> Answer:
        """Answer a map."""
        return _as_field(self._catalogue.run(run).map(variable, statistic, int(layer), int(index)))

    def series(self, run: str, variable: str, layer: str, y: str, x: str, *, query: Mapping[str, str]) -> Answer:
        """Answer everything of a cell over time."""
        return as_json(self._catalogue.run(run).series(variable, int(layer), int(y), int(x)), keeps=True)

    def observations(self, run: str, y: str, x: str, *, query: Mapping[str, str]) -> Answer:
        """Answer all observations in a cell."""
        found = self._catalogue.run(run)
        found.check_cell(int(y), int(x))
        return as_json(
            {"observations": [plain_series(one) for one in found.observed.of_cell(int(y), int(x))]}, keeps=True
        )

    # ---- balances ----------------------------------------------------------------------------------

    def zone(self, run: str, zone: str, *, query: Mapping[str, str]) -> Answer:
        """Answer the balance of a zone."""
        found = self._catalogue.run(run)
        cells = found.domain.zone_cells(zone)
        name = next(one["name"] for one in found.domain.zone_entries() if one["id"] == zone)
        return as_json(balance_of_cells(found, cells, name, read_period(query)))

    def polygon(self, run: str, *, query: Mapping[str, str], body: Any) -> Answer:
        """Answer the balance of a polygon."""
        found = self._catalogue.run(run)
        rings = polygon_of(body)
        return as_json(balance_of_cells(found, polygon_cells(found, rings), "polygon", read_period(body)))

    polygon.takes_body = True  # type: ignore[attr-defined]

    # ---- downloads ---------------------------------------------------------------------------------

    def download_map(
        self, run: str, variable: str, statistic: str, layer: str, index: str, kind: str, *, query: Mapping[str, str]
    ) -> Answer:
        """Answer a map as a file."""
        found = self._catalogue.run(run)
        content, media_type, name = download_map(found, variable, statistic, int(layer), int(index), kind)
        return Answer(content, media_type, file_name=name)

    def download_series(
        self, run: str, variable: str, layer: str, y: str, x: str, kind: str, *, query: Mapping[str, str]
    ) -> Answer:
        """Answer a series as a file."""
        found = self._catalogue.run(run)
        content, media_type, name = download_series(found, variable, int(layer), int(y), int(x), kind)
        return Answer(content, media_type, file_name=name)


def as_json(content: Any, keeps: bool = False) -> Answer:
    """Return content as JSON without spaces."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Answer(text.encode(), JSON, keeps)


def _as_field(values: np.ndarray) -> Answer:
    """Return a field as float32, little end first, row by row."""
    return Answer(np.ascontiguousarray(values, "<f4").tobytes(), BINARY, keeps=True)
