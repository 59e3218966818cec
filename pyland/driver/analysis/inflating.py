"""Inflation of a case beyond a fixed factor: factors that observations estimate, and noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.assimilate import AdaptiveInflation
from pyland.base.cell_ranks import CellRanks
from pyland.base.member_statistics import member_mean
from pyland.config.inflation import AdaptiveInflationSection
from pyland.driver.analysis.filter_call import FilterCall, StatePlaces
from pyland.ensemble.counter_random import standard_normal
from pyland.observe import ObservationSet, combine_footprints, depth_weights, operator_for

PREFIX = "inflation:"
"""Names of its arrays in a restart; none of them has a member."""


class AdaptiveFactors:
    """Factors of the rows of the state, such as layers, in all cells that this rank analyses.

    Parameters
    ----------
    section : AdaptiveInflationSection
        Its numbers.
    ranks : CellRanks
        Ranks of the run.
    unobserved : bool
        Inflate also what no observation reaches.
    """

    def __init__(self, section: AdaptiveInflationSection, ranks: CellRanks, unobserved: bool) -> None:
        self._section, self._ranks, self._unobserved = section, ranks, unobserved
        self._factors: AdaptiveInflation | None = None

    def inflate(
        self, call: FilterCall, places: StatePlaces, ensemble: np.ndarray, sets: list[ObservationSet],
        thickness: np.ndarray, rows: Mapping[str, slice], is_updated: np.ndarray
    ) -> tuple[np.ndarray, FilterCall]:
        """Inflate a forecast with the factors that earlier analyses have left, and learn from this one; collective.

        What members predict is inflated by the mean factor of the soil that the observation sees, where that is part of
        the state. What the analysis does not change (soil that is frozen, or too deep) is not inflated: it counts with
        the factor 1, and its own factor waits as it is.

        Parameters
        ----------
        call : FilterCall
            Observations of the analysis.
        places : StatePlaces
            Where the elements of the state lie, row after row of each cell.
        ensemble : numpy.ndarray, shape (member, state)
            Forecast.
        sets : list of ObservationSet
            Sets of the analysis.
        thickness : numpy.ndarray, shape (layer,)
            [m]
        rows : mapping of str to slice
            Rows of each variable of the state, by name.
        is_updated : numpy.ndarray of bool, shape (state,)
            Elements that the analysis changes.

        Returns
        -------
        ensemble : numpy.ndarray, shape (member, state)
            Inflated.
        call : FilterCall
            The same call with inflated predictions.
        """
        factors = self._of_size(ensemble.shape[1])
        factors.damp(is_updated)
        where = is_updated if self._unobserved else is_updated & call.is_reached(places)
        root = np.where(where, np.sqrt(factors.factor), 1.0)
        inflated = factors.apply(ensemble, where)
        seen = self._seen(root.reshape(len(places.coordinates), -1).T, sets, thickness, rows)
        seen = np.concatenate(seen)[self._rows(call, sets)]
        predicted = call.used.predicted
        mean = predicted[0] + (predicted - predicted[0]).mean(axis=0)
        reach, owner = call.reach(places)
        factors.update(ensemble, predicted, call.used.observed, call.used.variance, reach, owner, is_updated)
        return inflated, call.with_predictions(mean + seen * (predicted - mean))

    def _of_size(self, size: int) -> AdaptiveInflation:
        if self._factors is None:
            one = self._section
            self._factors = AdaptiveInflation(
                size, one.initial, one.std, smallest_std=one.smallest_std, lower=one.lower, upper=one.upper,
                damping=one.damping, prior=one.prior)
        return self._factors

    def _seen(
        self, root: np.ndarray, sets: list[ObservationSet], thickness: np.ndarray, rows: Mapping[str, slice]
    ) -> list[np.ndarray]:
        """Return the mean factor of what each observation of each set sees; ``root`` is (row, cell)."""
        means = []
        for one in sets:
            mine = rows.get(operator_for(one.type, one.settings).fields[0])
            if mine is None:
                means.append(np.ones(one.size))
                continue
            count = mine.stop - mine.start
            if count != thickness.size:  # a store without layers of water counts alike
                weights = np.full(count, 1.0 / count)
            elif np.isnan(one.top):
                weights = thickness / thickness.sum()
            else:
                weights = depth_weights(thickness, one.top, one.bottom, one.e_folding_depth)
            column = np.zeros((1, root.shape[1]))
            for share, layer in zip(weights, root[mine], strict=True):
                column += share * layer
            means.append(combine_footprints(column, self._ranks.position, one.cells, one.weights, self._ranks)[0])
        return means

    @staticmethod
    def _rows(call: FilterCall, sets: list[ObservationSet]) -> np.ndarray:
        """Return where the used observations stand among all observations of all sets."""
        first = np.concatenate([[0], np.cumsum([one.size for one in sets])])
        return first[call.used.set_index] + call.used.row

    # ---- restart -----------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Return the factors of all cells, (row, cell), on every rank; collective."""
        if not self._ranks.any(self._factors is not None):
            return {}
        width = self._ranks.position.size
        nrow = max(self._ranks.allgather(0 if self._factors is None else self._factors.factor.size // max(width, 1)))
        found = self._of_size(nrow * width).state()
        return {PREFIX + name: self._ranks.allgather_last(values.reshape(width, nrow).T.copy())
                for name, values in found.items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state`."""
        found = {name.removeprefix(PREFIX): np.ascontiguousarray(values[:, self._ranks.position].T).reshape(-1)
                 for name, values in state.items() if name.startswith(PREFIX)}
        if found:
            self._of_size(found["factor"].size).restore(found)


class AdditiveNoise:
    """Noise that an analysis adds, of mean 0 over the members.

    Parameters
    ----------
    std : mapping of str to float
        Standard deviation of each updated variable, in its unit.
    seed : int
        Seed of the experiment.
    cell_id : numpy.ndarray of int, shape (cell,)
        Global indices of the cells that this rank analyses; they name the random numbers.
    """

    def __init__(self, std: Mapping[str, float], seed: int, cell_id: np.ndarray) -> None:
        self._std, self._seed, self._cell_id = dict(std), seed, np.asarray(cell_id)

    def of(self, name: str, time: np.datetime64, shape: tuple[int, int, int]) -> np.ndarray:
        """Return the noise of a variable at an analysis, (layer, member, cell), independent in each of them.

        Parameters
        ----------
        name : str
            The variable; one without a standard deviation has no noise.
        time : numpy.datetime64
            Time of the analysis, UTC.
        shape : tuple of int
            Layers, members, cells.
        """
        if name not in self._std:
            return np.zeros(shape)
        layer, member = np.arange(shape[0])[:, None, None], np.arange(shape[1])[:, None]
        stamp = int(np.datetime64(time, "m").astype(np.int64))
        noise = standard_normal(self._seed, f"additive inflation: {name}", member, stamp, self._cell_id, layer, 1)[0]
        return self._std[name] * (noise - member_mean(noise)[:, None, :])
