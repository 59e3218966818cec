"""A small twin experiment behind a server on loopback, shared by all tests of the web map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from web_client import Client, serving

from cases import TWIN, changed, write_case
from pyland.config import load_case
from pyland.driver.commands.view import open_catalogue
from pyland.driver.run import run_case

CASE = changed(
    TWIN,
    {
        "domain.dx": "20 km",
        "domain.dy": "20 km",
        "output.variables": ["soil_water", "latent_heat_flux", "ground_temperature"],
        "output.statistics": ["mean", "std", "p05", "median", "p95"],
    },
)


@pytest.fixture(scope="session", autouse=True)
def web_packages() -> None:
    """Skip without the packages of the extra ``view``."""
    for package in ("bokeh", "rasterio", "tornado"):
        pytest.importorskip(package, reason=f"the web map needs {package} (extra view)")


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the run directory of a twin experiment with an open loop: 2 x 3 cells, 4 members, 4 records."""
    case = write_case(tmp_path_factory.mktemp("web") / "small_twin", CASE)
    run_case(load_case(case))
    return case / "run"


@pytest.fixture(scope="session")
def client(run_dir: Path) -> Iterator[Client]:
    """Give a client of a server of the run."""
    with serving(open_catalogue([run_dir])) as found:
        yield found
