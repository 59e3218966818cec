"""One door to the netCDF library, which must not be entered by two threads at once."""

from __future__ import annotations

import threading

NETCDF_ACCESS = threading.RLock()
"""Held while a file is open or read in a thread, and by whoever writes while such a thread may run: the time loop reads
weather ahead in a thread, so that whatever touches netCDF within the loop does so under this lock."""
