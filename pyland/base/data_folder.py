"""Where public data lie: the data folder of the user, and a mirror that the variable ``PYLAND_DATA`` may name."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

MIRROR_VARIABLE = "PYLAND_DATA"
"""Environment variable with the folder or the address of a mirror of the data folder."""

PREFIX = "data:"
"""Beginning of a path that starts at the data folder: ``data:little_washita/forcing``."""


def data_folder() -> Path:
    """Return the folder that data sets are fetched into: ``pyland`` in ``$XDG_DATA_HOME`` or ``~/.local/share``."""
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path("~/.local/share").expanduser()) / "pyland"


def mirror_address() -> str | None:
    """Return what ``PYLAND_DATA`` names: a path, or an address with file, http or https; None if it is not set."""
    return os.environ.get(MIRROR_VARIABLE) or None


def local_mirror() -> Path | None:
    """Return the mirror as a folder; None if there is none or it lies elsewhere."""
    address = mirror_address()
    if address is None or urlsplit(address).scheme in ("http", "https"):
        return None
    if urlsplit(address).scheme == "file":
        return Path(url2pathname(urlsplit(address).path))
    return Path(address).expanduser()


def find_data(name: str) -> Path | None:
    """Return the file or folder of a data set.

    Parameters
    ----------
    name : str
        ``DATA_SET/PATH`` below the data folder.

    Returns
    -------
    Path or None
        In the mirror, if it is a folder of this machine and has it, else in the data folder; None if neither has it.
    """
    places = [place for place in (local_mirror(), data_folder()) if place is not None]
    return next((place / name for place in places if (place / name).exists()), None)
