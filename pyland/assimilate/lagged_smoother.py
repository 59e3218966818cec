"""Fixed-lag ensemble smoother: every analysis updates the last states too."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.any_filter import update_blocks
from pyland.assimilate.filter_table import FILTERS, find_filter
from pyland.base.errors import InputError


class LaggedSmoother:
    """Filter that also updates the states of the last analyses: EnKS, ETKS, LETKS and so on.

    An analysis is a linear combination of members (or a regression on what they predict). Past states are more state
    elements, of the same local domains, that go through the same combination; neither the model nor an adjoint runs
    backwards.

    Parameters
    ----------
    lag : int
        Number of past states that an analysis updates, at least 0 (0: the filter alone).
    method : str
        Any filter of `analyse`, or of `analyse_local` where places are among the options.
    rng : numpy.random.Generator or int, optional
        Source of random numbers of the filter; belongs to the smoother from here on and is part of `state`.
    **options
        Options of every analysis, as in `analyse` or `analyse_local`: ``inflation``, ``radius``, ``coords_state``, ...
        Each can be replaced in a single `analyse`.

    Raises
    ------
    InputError
        If the lag is not a whole number of at least 0, there is no such filter, or ``rng`` is none.
    UnavailableError
        If ``method`` is a known filter that pyland does not have.

    Notes
    -----
    Inflation and relaxation act on the state that the model continues from. What they correct, too little spread of a
    forecast, has been corrected once in a past state already; again at each of ``lag`` analyses it would grow beyond
    bounds. Past states therefore are updated with inflated predicted observations (so that the transform is the same
    as that of the filter) and with their own anomalies as they are, without relaxation: the joint Kalman update of
    (past, inflated present). Where inflation or relaxation are on, that takes a second call of the filter, with a
    generator in the same state. A domain without observations keeps its past too, but for a rotation: the members of
    present and past are turned alike and stay members of one ensemble. With ``adaptive`` past states have the weights
    of their own correlations with the predicted observations.

    References
    ----------
    .. [1] Evensen, G., and van Leeuwen, P. J. (2000). An ensemble Kalman smoother for nonlinear dynamics. Mon. Weather
       Rev. 128, 1852-1867.
    .. [2] Nerger, L., Schulte, S., and Bunse-Gerstner, A. (2014). On the influence of model nonlinearity and
       localization on ensemble Kalman smoothing. Q. J. R. Meteorol. Soc. 140, 2249-2259.

    Examples
    --------
    >>> import numpy as np
    >>> smoother = LaggedSmoother(1)
    >>> E = np.array([[1.0], [2.0], [3.0]])
    >>> E = smoother.analyse(E, E, d=[2.0], R=[1.0])
    >>> E = smoother.analyse(E, E, d=[4.0], R=[0.5])        # a model at rest: both times have seen both observations
    >>> bool(np.allclose(smoother.smoothed(1), E))
    True
    """

    def __init__(
        self, lag: int, method: str = "etkf", *, rng: np.random.Generator | int | None = None, **options: Any
    ) -> None:
        if isinstance(lag, bool) or int(lag) != lag or lag < 0:
            raise InputError(f"lag must be a whole number of analyses, at least 0; got {lag!r}")
        _check_method(method)
        self.lag = int(lag)
        self.method = method
        self.options = options
        self._generator = arguments.check_generator(rng)
        self._states: list[np.ndarray] = []  # newest first

    def __len__(self) -> int:
        """Return the number of states held: those of age 0 to ``len - 1``."""
        return len(self._states)

    def analyse(self, E: Any, Y: Any, d: Any, R: Any, **changes: Any) -> Any:
        """Update the present and the past, and take the present up among the past.

        Parameters
        ----------
        E, Y, d, R : array_like
            As in `pyland.assimilate.analyse`; the shape of E must not change from one analysis to the next.
        **changes
            Options that differ from those of the smoother.

        Returns
        -------
        numpy.ndarray or tuple
            What the filter returns for the present; to the last bit what it returns without a smoother.

        Raises
        ------
        InputError
            As the filter; if the shape of E changed; if ``rng`` is among the changes.
        """
        if "rng" in changes:
            raise InputError("rng belongs to the smoother; give it to LaggedSmoother(...), not to an analysis")
        options = {**self.options, **changes}
        present = arguments.to_floats("E (member, state)", E, 2)
        if self._states and self._states[0].shape != present.shape:
            raise InputError(
                f"E has shape {present.shape}, the states of the last analyses have {self._states[0].shape}; "
                "members and state must stay the same within a smoother"
            )
        past = self._states[: self.lag]
        method = options.pop("method", self.method)
        inflation = options.get("inflation", 1.0)
        if inflation == 1.0 and options.get("relaxation", 0.0) == 0.0:
            blocks = [present, *past]
            (analysis, *updated), diagnostics = update_blocks(blocks, Y, d, R, method, self._generator, options)
        else:
            same = copy.deepcopy(self._generator)
            (analysis,), diagnostics = update_blocks([present], Y, d, R, method, self._generator, options)
            predicted = arguments.to_floats("Y (member, obs)", Y, 2)
            mean = predicted.mean(axis=0)
            predicted = mean + float(inflation) * (predicted - mean)
            if options.get("bounds") is not None:  # inflated members may leave them; the filter takes them as the bound
                predicted = np.clip(predicted, *options["bounds"])
            neutral = {**options, "inflation": 1.0, "relaxation": 0.0, "return_diagnostics": False}
            updated = update_blocks(past, predicted, d, R, method, same, neutral)[0] if past else []
        self._states = [analysis.copy(), *updated]
        return analysis if diagnostics is None else (analysis, diagnostics)

    def smoothed(self, age: int) -> np.ndarray:
        """Return the state of ``age`` analyses ago, updated by all analyses since.

        Parameters
        ----------
        age : int
            0 (the last analysis) to ``lag``; the state of age ``lag`` is final, no further analysis changes it.

        Returns
        -------
        numpy.ndarray
            Shape ``(member, state)``, a copy.

        Raises
        ------
        InputError
            If there is no state of that age.
        """
        if not 0 <= age < len(self._states):
            raise InputError(
                f"the smoother (lag {self.lag}) holds the states of {len(self._states)} analyses, ages from 0; "
                f"asked for age {age}"
            )
        return self._states[age].copy()

    def state(self) -> dict[str, Any]:
        """Return what a restart needs: ``states`` (age, member, state) and ``random``, the state of the generator."""
        return {"states": np.array(self._states), "random": copy.deepcopy(self._generator.bit_generator.state)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned; lag, method and options are those of this smoother.

        Raises
        ------
        InputError
            If there are more states than the lag has room for, or the generator is of another kind.
        """
        states = np.asarray(state["states"], dtype=np.float64)
        if len(states) > self.lag + 1 or (len(states) and states.ndim != 3):
            raise InputError(
                f"states must have shape (age, member, state) with at most {self.lag + 1} ages for lag {self.lag}; "
                f"got {states.shape}"
            )
        random = state["random"]
        kind = self._generator.bit_generator.state["bit_generator"]
        if random["bit_generator"] != kind:
            raise InputError(f"the restart has a generator {random['bit_generator']}, this smoother a {kind}")
        self._generator.bit_generator.state = copy.deepcopy(random)
        self._states = [one.copy() for one in states]


def _check_method(method: Any) -> None:
    """Refuse what is no filter; a smoother by its own name is the filter that it is made of."""
    name = str(method).lower()
    known = FILTERS.get(name)
    filter_name = {"enks": "enkf", "etks": "etkf", "letks": "letkf"}.get(name)
    if filter_name is not None:
        raise InputError(f"method '{method}' is this smoother with a filter: give the filter, '{filter_name}'")
    find_filter(name, is_local=known is not None and known.is_local)


__all__ = ["LaggedSmoother"]
