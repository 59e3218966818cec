"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of reference data: $PYLAND_SHARED, else ``../shared`` beside the repository; skip without it."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("PYLAND_SHARED", beside))
    if not (folder / "data").is_dir():
        pytest.skip(f"reference data not found in {folder}; set PYLAND_SHARED to the folder that holds data/")
    return folder
