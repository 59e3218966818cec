"""Handle of the coupled land and soil-water columns; owns their Fortran memory."""

from __future__ import annotations

from types import MappingProxyType
from typing import NoReturn

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check

_ROLES = {1: "state", 2: "parameter", 3: "forcing", 4: "flux"}


class _FortranMemory:
    """What a view has as its base: the buffer's address, and the owner that keeps it alive."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, address: int, shape: tuple[int, int], owner: object) -> None:
        self.__array_interface__ = {"data": (address, False), "shape": shape, "typestr": "<f8", "version": 3}
        self.owner = owner


class Columns:
    """Columns of land and soil water, advanced together by the compiled core.

    Parameters
    ----------
    ncolumn : int
        Number of columns, members included.
    nlayer : int
        Hydrological soil layers.
    nthermal : int
        Thermal layers, bedrock included; at least ``nlayer``.
    npatch : int
        Patches per column.
    nsnow : int
        Snow layers that may exist, 1 to 12.

    Attributes
    ----------
    state, parameter, forcing, flux : Mapping[str, numpy.ndarray]
        Live views of the Fortran fields, shape ``(n, ncolumn)``, where ``n`` is a number of layers, patches or 1.

    Raises
    ------
    InputError
        If a size is below 1 or ``nthermal`` below ``nlayer``.
    """

    def __init__(self, ncolumn: int, nlayer: int, nthermal: int, npatch: int, nsnow: int = 5) -> None:
        self._api = wrapped.pl_api_columns
        self.handle = self._api.columns_handle()
        check(*self._api.columns_create(self.handle, ncolumn, nlayer, nthermal, npatch, nsnow))
        self.ncolumn, self.nlayer, self.nthermal, self.npatch = ncolumn, nlayer, nthermal, npatch
        self.nsnow = nsnow
        self._fields: dict[str, dict[str, np.ndarray]] = {role: {} for role in _ROLES.values()}
        self.find_fields()
        self.state = MappingProxyType(self._fields["state"])
        self.parameter = MappingProxyType(self._fields["parameter"])
        self.forcing = MappingProxyType(self._fields["forcing"])
        self.flux = MappingProxyType(self._fields["flux"])

    def find_fields(self) -> None:
        """Enter the fields that the core has created since the last call."""
        known = sum(len(group) for group in self._fields.values())
        for index in range(known + 1, self._api.columns_field_count(self.handle) + 1):
            name, role, size, address, ierr, errmsg = self._api.columns_field(self.handle, index)
            check(ierr, errmsg)
            memory = _FortranMemory(int(address), (size, self.ncolumn), self.handle)
            self._fields[_ROLES[role]][name.decode().strip()] = np.asarray(memory)

    def __reduce__(self) -> NoReturn:
        raise TypeError("Columns holds Fortran memory and cannot be pickled or copied; save its state arrays instead")

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per column [byte]."""
        groups = (self.state, self.parameter, self.forcing, self.flux)
        return sum(array.nbytes for group in groups for array in group.values()) / self.ncolumn

    def set_land_options(self, **options: float) -> None:
        """Set land options by name; names, numbers and units as in ``land_options_type`` of pl_land_chunk.f90."""
        for name, value in options.items():
            check(*self._api.columns_set_land_option(self.handle, name, float(value)))

    def set_water_options(
        self,
        *,
        retention: int,
        lower_boundary: int,
        air_entry: float,
        water_table_depth: float,
        ponding_depth: float,
        tolerance: float,
        largest_iteration: int,
        smallest_step: float,
    ) -> None:
        """Choose the treatment of soil water; numbers as in ``fortran/subsurface/pl_richards_column.f90``."""
        check(*self._api.columns_set_water_options(
            self.handle, retention, lower_boundary, air_entry, water_table_depth, ponding_depth, tolerance,
            largest_iteration, smallest_step))

    def prescribe_water(self, prescribed: bool) -> None:
        """Choose whether soil and ponded water stay as they are set (else Richards' equation moves them)."""
        check(*self._api.columns_prescribe_water(self.handle, int(prescribed)))

    def set_carbon(self, scheme: int, fluorescence_yield: float) -> None:
        """Choose how carbon is computed (numbers as in ``fortran/land/pl_carbon_step.f90``); may add fields."""
        check(*self._api.columns_set_carbon(self.handle, scheme, fluorescence_yield))
        self.find_fields()

    def start_carbon_sums(self) -> None:
        """Begin the means of production and decay that the equilibrium of the carbon pools needs."""
        check(*self._api.columns_start_carbon_sums(self.handle))

    def balance_carbon(self, sink: float) -> None:
        """Set all carbon pools to their equilibrium with these means; ``sink``: share of production kept [1]."""
        check(*self._api.columns_balance_carbon(self.handle, sink))

    def irrigate(self) -> None:
        """Add the fields of irrigation."""
        check(*self._api.columns_irrigate(self.handle))
        self.find_fields()

    def prepare(self) -> None:
        """Check the parameters and derive what follows from them; needed after they were set."""
        check(*self._api.columns_prepare(self.handle))

    def reconcile(self) -> None:
        """Make pressure heads consistent with soil water that was changed from outside."""
        check(*self._api.columns_reconcile(self.handle))

    def fill_water(self) -> None:
        """Set soil water from the pressure heads."""
        check(*self._api.columns_fill_water(self.handle))

    def store_water(self) -> None:
        """Bring the fields ``soil_water_total`` and ``land_water`` up to date with the state."""
        check(*self._api.columns_store_water(self.handle))

    def step(self, dt: float) -> None:
        """Advance all columns by ``dt`` [s] with the forcing fields as they are."""
        check(*self._api.columns_step(self.handle, dt))


__all__ = ["Columns"]
