"""Handle of a set of lakes; owns their Fortran memory."""

from __future__ import annotations

from types import MappingProxyType
from typing import NoReturn

import numpy as np

from pyland.core import wrapped
from pyland.core.columns import _FortranMemory as FortranMemory
from pyland.core.errors import check

_ROLES = {1: "state", 2: "parameter", 3: "forcing", 4: "flux"}


class Lakes:
    """Lakes, advanced together by the compiled core.

    Parameters
    ----------
    ncolumn : int
        Number of lakes, members included.
    stability_limit : float
        Largest stability parameter zeta of stable air [1].

    Attributes
    ----------
    state, parameter, forcing, flux : Mapping[str, numpy.ndarray]
        Live views of the Fortran fields, shape ``(n, ncolumn)``, where ``n`` is a number of layers or 1.

    Raises
    ------
    InputError
        If ``ncolumn`` is below 1.
    """

    def __init__(self, ncolumn: int, stability_limit: float) -> None:
        self._api = wrapped.pl_api_lake
        self._handle = self._api.lakes_handle()
        check(*self._api.lakes_create(self._handle, ncolumn, stability_limit))
        self.ncolumn = ncolumn
        fields: dict[str, dict[str, np.ndarray]] = {role: {} for role in _ROLES.values()}
        for index in range(1, self._api.lakes_field_count(self._handle) + 1):
            name, role, size, address, ierr, errmsg = self._api.lakes_field(self._handle, index)
            check(ierr, errmsg)
            memory = FortranMemory(int(address), (size, ncolumn), self._handle)
            fields[_ROLES[role]][name.decode().strip()] = np.asarray(memory)
        self.state = MappingProxyType(fields["state"])
        self.parameter = MappingProxyType(fields["parameter"])
        self.forcing = MappingProxyType(fields["forcing"])
        self.flux = MappingProxyType(fields["flux"])

    def __reduce__(self) -> NoReturn:
        raise TypeError("Lakes holds Fortran memory and cannot be pickled or copied; save its state arrays instead")

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per lake [byte]."""
        groups = (self.state, self.parameter, self.forcing, self.flux)
        return sum(array.nbytes for group in groups for array in group.values()) / self.ncolumn

    def check(self) -> None:
        """Check the parameters; needed after they were set."""
        check(*self._api.lakes_check(self._handle))

    def step(self, dt: float) -> None:
        """Advance all lakes by ``dt`` [s] with the forcing fields as they are."""
        check(*self._api.lakes_step(self._handle, dt))


__all__ = ["Lakes"]
