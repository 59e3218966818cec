"""Subsurface and overland flow once more, in plain numpy: an independent judge of the kernel on small grids.

The same equations are written for reading, not for speed: one residual as in ParFlow's papers (Kollet and Maxwell 2006,
Adv. Water Resour. 29, 945-958; Maxwell 2013, 53, 109-117), its Jacobian by differences of coloured cells, a direct
sparse solver and no step control. Backward Euler, harmonic conductivity, upstream relative permeability.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

LEAST_ENTRY = 1e-8
"""Air-entry head that pyland leaves in any van Genuchten soil [m]: for n below 2 the conductivity ends with a slope.

It scales the conductivity of the plain curve (Ippisch et al. 2006, eqs. 11-13), by 0.17 % at n = 1.4.
"""

SIDES = ("west", "east", "south", "north", "top", "bottom")


def retention(kind: str, soil: Mapping[str, np.ndarray], head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Effective saturation and relative permeability [1] at heads [m]."""
    suction = np.maximum(-head, 0.0)
    if kind == "gardner":
        effective = np.exp(-soil["gardner_alpha"] * suction)
        return effective, effective
    if kind == "clapp_hornberger":
        b = soil["clapp_hornberger_b"]
        entry = np.abs(soil["air_entry_head"])
        effective = (np.maximum(suction, entry) / entry) ** (-1.0 / b)
        return effective, effective ** (2.0 * b + 3.0)
    n = soil["van_genuchten_n"]
    m = 1.0 - 1.0 / n
    at_entry = (1.0 + (soil["van_genuchten_alpha"] * LEAST_ENTRY) ** n) ** -m
    plain = np.minimum((1.0 + (soil["van_genuchten_alpha"] * suction) ** n) ** -m, at_entry)
    effective = plain / at_entry
    mualem = (1.0 - (1.0 - plain ** (1.0 / m)) ** m) / (1.0 - (1.0 - at_entry ** (1.0 / m)) ** m)
    return effective, np.sqrt(effective) * mualem**2


class PlainFlow:
    """Distributed flow on a small grid.

    Parameters
    ----------
    thickness : array_like, shape (layer,)
        From the top [m].
    soil : Mapping
        As for ``DistributedSubsurface``, with ``specific_storage``.
    nx, ny : int
        Columns.
    dx, dy : float
        Their size [m].
    pressure_head : array_like
        Broadcastable to (layer, y, x) [m].
    boundaries : Mapping, optional
        Side -> list of (kind, value, where); kinds ``head``, ``flux``, ``free_drainage``, ``seepage``, ``no_flow``.
    overland : str
        ``none`` (ponded water stays), ``kinematic`` or ``diffusive``.
    """

    def __init__(self, thickness, soil, *, nx, ny, dx, dy, pressure_head, kind="van_genuchten", active=None,
                 slope_x=0.0, slope_y=0.0, manning=0.03, overland="none", boundaries=None, slope_floor=1e-5):
        self.dz = np.asarray(thickness, float)
        self.shape = (self.dz.size, ny, nx)
        self.soil = {name: self._spread(value) for name, value in soil.items()}
        self.kind, self.dx, self.dy, self.overland = kind, dx, dy, overland
        self.active = np.ones(self.shape, bool) if active is None else np.broadcast_to(active, self.shape)
        self.slope_x, self.slope_y = (np.broadcast_to(np.asarray(s, float), (ny, nx)) for s in (slope_x, slope_y))
        self.manning = np.broadcast_to(np.asarray(manning, float), (ny, nx))
        self.slope_floor, self.boundaries = slope_floor, boundaries or {}
        self.pressure = np.array(self._spread(pressure_head))
        self.inflow: dict[str, float] = {}
        self.discharge = 0.0
        k, j, i = np.indices(self.shape)
        self.colour = (i + 2 * j + 3 * k) % 7

    def _spread(self, value):
        value = np.asarray(value, float)
        return np.broadcast_to(value[:, None, None] if value.ndim == 1 else value, self.shape).copy()

    def storage(self, head):
        """Water of the cells and on the top cells [m3]."""
        soil = self.soil
        effective, _ = retention(self.kind, soil, head)
        water = soil["residual_water"] + (soil["porosity"] - soil["residual_water"]) * effective
        stored = (water + soil["specific_storage"] * water / soil["porosity"] * head) * self.dz[:, None, None]
        stored = stored * self.dx * self.dy
        if self._is_open_top():
            stored[0] += np.maximum(head[0], 0.0) * self.dx * self.dy
        return np.where(self.active, stored, 0.0)

    def _is_open_top(self):
        return "top" not in self.boundaries

    def _lateral(self, head, relative, axis, gain):
        """Add what crosses the faces of an axis: 2 is x, 1 is y."""
        size, width = (self.dx, self.dy) if axis == 2 else (self.dy, self.dx)
        slope = self.slope_x if axis == 2 else self.slope_y
        along = "saturated_conductivity_x" if axis == 2 else "saturated_conductivity_y"
        conductivity = self.soil.get(along, self.soil["saturated_conductivity"])
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        here, there = tuple(here), tuple(there)
        angle = np.arctan(np.broadcast_to(slope, self.shape))
        cosine, sine = (0.5 * (f(angle[here]) + f(angle[there])) for f in (np.cos, np.sin))
        mean = 2.0 * conductivity[here] * conductivity[there] / (conductivity[here] + conductivity[there])
        drop = (head[here] - head[there]) / size * cosine - sine
        flow = mean * drop * np.where(drop >= 0.0, relative[here], relative[there]) * self.dz[:, None, None] * width
        flow = np.where(self.active[here] & self.active[there], flow, 0.0)
        gain[here] -= flow
        gain[there] += flow

    def _vertical(self, head, relative, gain):
        half = 0.5 * self.dz[:, None, None]
        resistance = half / self.soil["saturated_conductivity"]
        drop = head[:-1] - head[1:] + half[:-1] + half[1:]
        flow = drop / (resistance[:-1] + resistance[1:]) * np.where(drop >= 0.0, relative[:-1], relative[1:])
        flow = np.where(self.active[:-1] & self.active[1:], flow * self.dx * self.dy, 0.0)
        gain[:-1] -= flow
        gain[1:] += flow

    def _boundary(self, side, head, relative, gain):
        """Add what enters through the boundaries of a side, and return it [m3 s-1]."""
        cells = {"west": (..., 0), "east": (..., -1), "south": (slice(None), 0), "north": (slice(None), -1),
                 "top": (0,), "bottom": (-1,)}[side]
        soil = {name: value[cells] for name, value in self.soil.items()}
        p, kr = head[cells], relative[cells]
        k_sat = soil["saturated_conductivity"]
        if side in ("west", "east", "south", "north"):
            along = "x" if side in ("west", "east") else "y"
            k_sat = soil.get(f"saturated_conductivity_{along}", k_sat)
            size, width = (self.dx, self.dy) if along == "x" else (self.dy, self.dx)
            area, half, gravity = self.dz[:, None] * width, 0.5 * size, 0.0
        else:
            area, half = self.dx * self.dy, 0.5 * self.dz[cells[0]]
            gravity = half if side == "top" else -half
        total = np.zeros(p.shape)
        for kind, value, where in self.boundaries.get(side, ()):
            if kind == "head":
                drop = value - p + gravity
                flow = k_sat * drop / half * np.where(drop >= 0.0, retention(self.kind, soil, value + 0 * p)[1], kr)
            elif kind == "seepage":
                flow = -k_sat * kr * np.maximum(p - gravity, 0.0) / half
            elif kind == "free_drainage":
                flow = -k_sat * kr
            else:
                flow = value + 0.0 * p if kind == "flux" else 0.0 * p
            total += np.where(self.active[cells] & (True if where is None else where), flow * area, 0.0)
        gain[cells] += total
        return total.sum()

    def _overland(self, head, before, gain):
        """Add flow over land, the slope of a face being that of the cell west or south of it; return what leaves.

        At a rim that falls to the outside the diffusive wave meets a depth of 0 there; other rims are closed. The size
        of its friction slope is that of the cell that gives the face its slope, from the heads before the step.
        """
        depth, old = np.maximum(head[0], 0.0), np.maximum(before[0], 0.0)
        now, then = ([self._tilt(of, axis) for axis in (1, 0)] for of in (depth, old))
        out = 0.0
        for number, (axis, width) in enumerate(((1, self.dy), (0, self.dx))):
            turn = np.transpose if axis == 0 else np.asarray
            beyond, other = then[number], then[1 - number]
            size = np.hypot(turn(beyond[1]), turn(other[1]))
            # the low rim is a face of the first cell with a slope of its own, as may be its other axis
            corner = turn(other[1]).copy()
            corner[0] = np.where(turn(other[2])[0], turn(other[0])[0], corner[0])
            first = np.hypot(turn(beyond[0])[:, :1], corner[:, :1])
            size = np.maximum(np.concatenate([first, size], axis=1), self.slope_floor)
            slope = np.concatenate([turn(now[number][0])[:, :1], turn(now[number][1])], axis=1)
            roughness = turn(self.manning)
            roughness = np.concatenate([roughness[:, :1], roughness], axis=1)
            water = np.pad(turn(depth), ((0, 0), (1, 1)))
            flow = -slope / np.sqrt(size) / roughness * width
            flow *= np.where(slope < 0.0, water[:, :-1], water[:, 1:]) ** (5.0 / 3.0)
            net = flow[:, :-1] - flow[:, 1:]
            gain[0] += turn(net)
            out += flow[:, -1].sum() - flow[:, 0].sum()
        return out

    def _tilt(self, depth, axis):
        """Slopes of the low rim (as a field, in the first cells) and of the faces behind all cells; is the rim open."""
        slope, size = (self.slope_x, self.dx) if axis == 1 else (self.slope_y, self.dy)
        rise = np.zeros(depth.shape)
        low = slope.copy()
        if self.overland == "diffusive":
            inner, last = [slice(None)] * 2, [slice(None)] * 2
            inner[axis], last[axis] = slice(None, -1), slice(-1, None)
            inner, last = tuple(inner), tuple(last)
            rise[inner] = np.diff(depth, axis=axis)
            rise[last] = np.where(slope[last] < 0.0, -depth[last], 0.0)
            low = slope + np.where(slope > 0.0, depth, 0.0) / size
        return low, slope + rise / size, slope > 0.0

    def residual(self, head, stored, dt, rain, source):
        """Water missing in the cells over a step [m3]."""
        _, relative = retention(self.kind, self.soil, head)
        gain = np.array(source, float)
        self._lateral(head, relative, 2, gain)
        self._lateral(head, relative, 1, gain)
        self._vertical(head, relative, gain)
        self.inflow = {side: self._boundary(side, head, relative, gain) for side in SIDES}
        if self._is_open_top():
            gain[0] += rain * self.dx * self.dy / 1000.0
        if self.overland != "none":
            self.discharge = self._overland(head, self.pressure, gain)
        return np.where(self.active, self.storage(head) - stored - dt * gain, 0.0)

    def advance(self, dt, rain=0.0, source=0.0, tolerance=1e-11, iterations=60):
        """One step of backward Euler; rain and source [kg m-2 s-1], tolerance as depth of water [m]."""
        head, stored = self.pressure, self.storage(self.pressure)
        source = np.broadcast_to(np.asarray(source, float), self.shape) * self.dx * self.dy / 1000.0
        shift = 1e-7
        number = np.arange(head.size).reshape(self.shape)
        wrong = self.residual(head, stored, dt, rain, source)
        for _ in range(iterations):
            if np.abs(wrong).max() <= tolerance * self.dx * self.dy:
                self.pressure = head
                return
            rows, columns, values = [], [], []
            for colour in range(7):
                moved = np.where(self.colour == colour, shift * np.maximum(np.abs(head), 1e-3), 0.0)
                slope = (self.residual(head + moved, stored, dt, rain, source) - wrong)
                owner, size = self._owners(number, moved, colour)
                rows.append(number.ravel())
                columns.append(owner.ravel())
                values.append((slope / size).ravel())
            values = np.concatenate(values)
            keep = values != 0.0
            matrix = csc_matrix((values[keep], (np.concatenate(rows)[keep], np.concatenate(columns)[keep])),
                                shape=(head.size,) * 2)
            matrix.setdiag(np.where(self.active.ravel(), matrix.diagonal(), 1.0))
            change = splu(matrix.tocsc()).solve(-wrong.ravel()).reshape(self.shape)
            norm, step = np.linalg.norm(wrong), 1.0
            for _ in range(12):
                trial = self.residual(head + step * change, stored, dt, rain, source)
                if np.linalg.norm(trial) < (1.0 - 1e-4 * step) * norm:
                    break
                step *= 0.5
            head, wrong = head + step * change, trial
        left = np.abs(wrong).max() / self.dx / self.dy
        raise RuntimeError(f"reference solver: {left} m after {iterations} iterations")

    def _owners(self, number, moved, colour):
        """For every row the one cell of a colour within its star, and by how much that was moved."""
        owner, size = number.copy(), np.ones(self.shape)
        here = self.colour == colour
        owner[here], size[here] = number[here], moved[here]
        for axis in range(3):
            for step in (1, -1):
                to, of = [slice(None)] * 3, [slice(None)] * 3
                ends = (slice(1, None), slice(None, -1))
                to[axis], of[axis] = ends if step == 1 else ends[::-1]
                to, of = tuple(to), tuple(of)
                found = here[of]
                owner[to][found] = number[of][found]
                size[to][found] = moved[of][found]
        return owner, size
