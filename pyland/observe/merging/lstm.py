"""Merging by a network that learns when to trust which product.

The weights of a triple collocation are constant; errors of products are not: they follow vegetation, season and soil.
An LSTM sees the products, the weather, leaves and soil, and gives weights of the products that are there, a correction
and an error for each day. What it learns from is declared and goes into the file: values of stations, judged at
stations that were left out, or each product from the others, which needs no stations and rests on what a triple
collocation rests on: errors that are independent of each other.

References
----------
.. [1] Hochreiter, S., Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9, 1735-1780.
.. [2] Batson, J., Royer, L. (2019). Noise2Self: blind denoising by self-supervision. ICML, 524-533.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import yaml

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.observe.merging.error_weighted_merge import merge_tc
from pyland.observe.merging.lstm_inputs import (
    Normalisation,
    checked_context,
    features_of,
    merge_by_precision,
    normalisation_of,
)
from pyland.observe.merging.lstm_network import chosen_device, need_torch, new_network, reproducible
from pyland.observe.merging.lstm_splits import TEST, VALIDATION, TrainingSplit, split_values, station_folds, time_blocks
from pyland.observe.merging.lstm_training import (
    PLACES_AT_ONCE,
    TARGETS,
    LstmSettings,
    TrainingData,
    TrainingRecord,
    hide_product,
    run_network,
    scaled_products,
    train_network,
)
from pyland.observe.merging.merge_skill import MergeSkill, compare_merged
from pyland.observe.merging.merged import MergeContext, Merged, checked_products, taken_options
from pyland.observe.merging.weighted_merge import merge_mean

_log = get_logger("merge")

FORMAT = "pyland lstm merge 1"
"""Mark of the files of a saved network."""

_WEIGHTS, _REST = "weights.pt", "network.yaml"
LSTM_OPTIONS: Mapping[str, Any] = MappingProxyType({
    "target": "in_situ", "target_sigma": 0.0, "folds": 0, "model": None, "save": None, "validation": 0.15, "test": 0.2,
    "gap": 30, **{one.name: one.default for one in fields(LstmSettings)},
})
"""Options of `merge_lstm` and their defaults."""


@dataclass(frozen=True)
class HeldOut:
    """Estimates at stations that were left out of the training that made them.

    Attributes
    ----------
    value, sigma : ndarray, shape (time, place)
        NaN at places without a station.
    sigma_ratio : float
        Root mean square of the differences to the stations over their expected standard deviation, on the days of
        validation [1]: 1 if sigma is right. A network is too sure of places that it has not seen.
    records : tuple of TrainingRecord
        One for each group of stations.
    """

    value: np.ndarray
    sigma: np.ndarray
    sigma_ratio: float
    records: tuple[TrainingRecord, ...]


class LstmMerge:
    """A merge that is trained, kept and applied.

    Parameters
    ----------
    target : {"in_situ", "withheld_product"}
        What is learned: ``context.target``, or each product from the others.
    settings : LstmSettings, optional
        Size of the network and course of the training.

    Attributes
    ----------
    record : TrainingRecord or None
        Of the training.
    normalisation : Normalisation or None
        Of the training part.

    Raises
    ------
    InputError
        If the target is none of these.
    """

    def __init__(self, target: str = "in_situ", settings: LstmSettings | None = None) -> None:
        if target not in TARGETS:
            raise InputError(f"merge lstm: target must be one of {', '.join(TARGETS)}, got {target!r}.")
        self.target, self.settings = target, settings or LstmSettings()
        self.record: TrainingRecord | None = None
        self.normalisation: Normalisation | None = None
        self._state: dict[str, Any] | None = None

    def fit(self, products: np.ndarray, context: MergeContext, split: TrainingSplit,
            target_sigma: float = 0.0) -> TrainingRecord:
        """Train the network.

        Parameters
        ----------
        products : array_like, shape (product, time, place)
            Values, NaN without one; for ``withheld_product`` without differences of their means.
        context : MergeContext
            Names, equally spaced times, predictors without gaps, and the target for ``in_situ``.
        split : TrainingSplit
            Which values of the target, or which days of the products, are for training and validation. Others are not
            looked at but as inputs.
        target_sigma : float, optional
            Standard deviation of the error of the stations [unit of the products], as points for what the products see
            and as instruments. It is taken out of the sigma of the merged product. Errors of withheld products are
            learned.

        Returns
        -------
        TrainingRecord

        Raises
        ------
        InputError
            If something does not fit or has gaps that must have none.
        UnavailableError
            If PyTorch or the device is not there.
        ConvergenceError
            If the loss is not finite.
        """
        need_torch()
        products = checked_products(products, 2 if self.target == "withheld_product" else 1)
        checked_context(products, context)
        if self.target == "in_situ":
            if context.target is None:
                raise InputError("merge lstm: target in_situ needs the values of stations (context.target), or choose "
                                 "target: withheld_product.")
            goals = np.asarray(context.target, float)[None]
        else:
            goals = products
        if split.training.shape != products.shape[1:]:
            raise InputError(f"merge lstm: the split must have shape {products.shape[1:]} (time, place), got "
                             f"{split.training.shape}.")
        if not target_sigma >= 0.0 or (target_sigma > 0.0 and self.target != "in_situ"):
            raise InputError(f"merge lstm: target_sigma is the error of stations, 0 or more, got {target_sigma} with "
                             f"the target {self.target}.")
        known = np.isfinite(goals)
        self.normalisation = normalisation_of(products, context, goals, split.training)
        scaled, there = scaled_products(products, self.normalisation)
        goal = np.where(known, (goals - self.normalisation.target_mean) / self.normalisation.target_std, 0.0)
        data = TrainingData(
            self.target, np.swapaxes(features_of(products, context, self.normalisation), 0, 1), scaled, there,
            np.moveaxis(goal, (0, 1, 2), (2, 1, 0)).astype(np.float32),
            (target_sigma / self.normalisation.target_std) ** 2,
            np.moveaxis(known & split.training, (0, 1, 2), (2, 1, 0)),
            np.moveaxis(known & split.validation, (0, 1, 2), (2, 1, 0)))
        self._state, self.record = train_network(data, self.settings)
        return self.record

    def merge(self, products: np.ndarray, context: MergeContext) -> Merged:
        """Apply the network: a value and an error at each time and place.

        Parameters
        ----------
        products : array_like, shape (product, time, place)
            Products of the training, in their order.
        context : MergeContext
            Times and the predictors of the training.

        Returns
        -------
        Merged
            ``weights`` are 0 where no product is there; the value then follows from the days before and the weather.
            Details: ``interpolated`` is 1 there, ``correction`` is the value minus the weighted mean of the products as
            they are (rescaling and delta together), NaN without a product.

        Raises
        ------
        InputError
            If the network is not trained, or inputs are not those of the training.
        """
        if self._state is None or self.normalisation is None or self.record is None:
            raise InputError("merge lstm: the network is not trained; call fit or load first.")
        products = checked_products(products)
        checked_context(products, context)
        device = chosen_device(self.settings.device)
        with reproducible(self.settings.seed, self.settings.threads, device):
            network = new_network(self.target, self.normalisation.features, len(products), self.settings.hidden,
                                  self.settings.dropout)
            network.load_state_dict(self._state)
            network.to(device)
            places = [slice(first, first + PLACES_AT_ONCE) for first in range(0, products.shape[2], PLACES_AT_ONCE)]
            parts = [self._estimate(network, products[:, :, part], _at_places(context, part), device)
                     for part in places]
        value, sigma, weights = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
        value = self.normalisation.target_mean + self.normalisation.target_std * value
        known = np.isfinite(products)
        count = known.sum(axis=0)
        plain = np.where(known, weights * products, 0.0).sum(axis=0)
        return Merged(
            value=value, sigma=self.normalisation.target_std * sigma, weights=weights, count=count.astype(np.int8),
            flag=(count == 0).all(axis=0).astype(np.int8), flag_words=("merged", "without_products"),
            details={"interpolated": (count == 0).astype(np.int8),
                     "correction": np.where(count > 0, value - plain, np.nan)},
            detail_attributes={
                "interpolated": {"long_name": "no product has a value of this time and place", "units": "1"},
                "correction": {"long_name": "value minus weighted mean of the products as they are",
                               "units": "",
                               **{f"training_{name}": word for name, word in self.record.in_words().items()}}})

    def _estimate(self, network: Any, products: np.ndarray, context: MergeContext,
                  device: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return value and sigma (time, place), normalised, and weights (product, time, place) of some places."""
        features = np.swapaxes(features_of(products, context, self.normalisation), 0, 1)
        scaled, there = scaled_products(products, self.normalisation)
        window = self.settings.window
        if self.target == "in_situ":
            found = run_network(network, features, scaled, there, window, device)
            return found.mean, np.exp(found.log_sigma), found.weights
        # as in training a product is hidden; what the passes say of errors and the guess is averaged
        passes = [run_network(network, seen, scaled, rest, window, device)
                  for seen, rest in (hide_product(features, there, hidden) for hidden in range(len(products)))]
        log_error, guess_error, guess = (np.mean([getattr(one, name) for one in passes], axis=0)
                                         for name in ("log_error", "log_guess_error", "guess"))
        return merge_by_precision(scaled.T, there.T, -2.0 * log_error, -2.0 * guess_error, guess)

    def cross_validate(self, products: np.ndarray, context: MergeContext, blocks: np.ndarray, folds: int | None = None,
                       target_sigma: float = 0.0) -> HeldOut:
        """Estimate each station by a network that has not seen it.

        Parameters
        ----------
        products, context, target_sigma
            As in `fit`; ``context.target`` holds the stations, for both kinds of target.
        blocks : ndarray of int8, shape (time,)
            Of `time_blocks`.
        folds : int, optional
            Groups of stations that are left out in turn; one station at a time by default, a training each.

        Returns
        -------
        HeldOut

        Raises
        ------
        InputError
            As `fit`, and if there are no stations.
        """
        if context.target is None:
            raise InputError("merge lstm: cross-validation needs the values of stations (context.target).")
        products = checked_products(products)
        stations = np.isfinite(context.target).any(axis=0)
        value, sigma = np.full(context.target.shape, np.nan), np.full(context.target.shape, np.nan)
        records = []
        for left_out in station_folds(stations, folds, self.settings.seed):
            fold = LstmMerge(self.target, self.settings)
            records.append(fold.fit(products, context, self.split(products, context, blocks, left_out), target_sigma))
            merged = fold.merge(products, context)
            value[:, left_out], sigma[:, left_out] = merged.value[:, left_out], merged.sigma[:, left_out]
        judged = (np.asarray(blocks) == VALIDATION)[:, None] & np.isfinite(context.target)
        square = (value - context.target)[judged] ** 2 / (sigma[judged] ** 2 + target_sigma**2)
        if not square.size:
            raise InputError("merge lstm: stations have no values in the block of validation.")
        return HeldOut(value, sigma, float(np.sqrt(square.mean())), tuple(records))

    def split(self, products: np.ndarray, context: MergeContext, blocks: np.ndarray,
              left_out: np.ndarray | None = None) -> TrainingSplit:
        """Return the split of what this merge learns from by blocks of time and places (place,) that are left out."""
        if self.target == "in_situ":
            if context.target is None:
                raise InputError("merge lstm: target in_situ needs the values of stations (context.target).")
            known = np.isfinite(context.target)
        else:
            known = np.isfinite(products).any(axis=0)
        return split_values(known, blocks, left_out)

    def save(self, folder: str | Path) -> None:
        """Write weights and normalisation into a new or empty folder.

        Raises
        ------
        InputError
            If the network is not trained, or the folder holds something else.
        """
        if self._state is None or self.normalisation is None or self.record is None:
            raise InputError("merge lstm: the network is not trained; there is nothing to save.")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if any(one.name not in (_WEIGHTS, _REST) for one in folder.iterdir()):
            raise InputError(f"merge lstm: {folder} holds other files; give a new or empty folder.")
        need_torch().save(self._state, folder / _WEIGHTS)
        norm = {name: value.tolist() if isinstance(value, np.ndarray) else list(value)
                if isinstance(value, tuple) else value for name, value in vars(self.normalisation).items()}
        record = {name: list(value) if isinstance(value, tuple) else value
                  for name, value in asdict(self.record).items()}
        text = {"format": FORMAT, "target": self.target, "settings": asdict(self.settings), "normalisation": norm,
                "record": record}
        (folder / _REST).write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path, device: str | None = None) -> LstmMerge:
        """Read what `save` wrote; nothing in the files is executed.

        Parameters
        ----------
        folder : str or Path
            Of `save`.
        device : str, optional
            Another device than that of the training.

        Raises
        ------
        InputError
            If files are missing, damaged or of another kind.
        """
        folder = Path(folder)
        if not (folder / _REST).exists() or not (folder / _WEIGHTS).exists():
            raise InputError(f"merge lstm: {folder} must hold {_REST} and {_WEIGHTS}, as a trained merge saves them.")
        torch = need_torch()
        try:
            text = yaml.safe_load((folder / _REST).read_text(encoding="utf-8"))
            if text["format"] != FORMAT:
                raise InputError(f"merge lstm: {folder / _REST} has the format {text['format']!r}, expected "
                                 f"'{FORMAT}'.")
            settings = LstmSettings(**{**text["settings"], **({"device": device} if device else {})})
            loaded = cls(text["target"], settings)
            norm = {name: np.array(value, float) if name.endswith(("product_mean", "_std", "predictor_mean"))
                    and isinstance(value, list) else tuple(value) if isinstance(value, list) else value
                    for name, value in text["normalisation"].items()}
            loaded.normalisation = Normalisation(**norm)
            loaded.record = TrainingRecord(**{name: tuple(value) if isinstance(value, list) else value
                                              for name, value in text["record"].items()})
            loaded._state = torch.load(folder / _WEIGHTS, map_location="cpu", weights_only=True)
            new_network(loaded.target, loaded.normalisation.features, len(loaded.normalisation.products),
                        settings.hidden, settings.dropout).load_state_dict(loaded._state)
        except InputError:
            raise
        except Exception as error:  # yaml, torch and missing keys: the files are not those of `save`
            raise InputError(f"merge lstm: {folder} cannot be read as a saved network ({type(error).__name__}: "
                             f"{error}).") from error
        return loaded


def merge_lstm(
    products: np.ndarray, sigma: np.ndarray | None = None, context: MergeContext | None = None,
    options: Mapping[str, Any] | None = None,
) -> Merged:  # fmt: skip
    """Train a network on the products and merge them by it, or merge them by a saved network.

    Parameters
    ----------
    products : array_like, shape (product, time, place)
        Values, NaN without one.
    sigma : array_like that broadcasts to products, optional
        Not needed here: errors are learned.
    context : MergeContext
        Times, places, predictors, and the target for ``in_situ``.
    options : mapping, optional
        ``target``: one of `TARGETS`, default ``in_situ``;
        all of `LstmSettings`;
        ``validation``, ``test``, ``gap``: of `time_blocks`;
        ``target_sigma``: error of the stations, default 0;
        ``folds``: groups of stations that are left out in turn for held-out estimates, 0 (default): none;
        ``model``: folder of a saved network that is used instead of training one;
        ``save``: folder in which the trained one is saved.

    Returns
    -------
    Merged
        With ``folds`` the details ``held_out_value`` and ``held_out_sigma`` are estimates at stations by networks that
        have not seen them, all sigmas are multiplied by `HeldOut.sigma_ratio`, and log and attributes say how the
        mean, the merge by collocation (of three and more products) and this one compare with the stations on the same
        days: those of the test block, or all if there is none. ``training_values`` counts the values of a place that
        were learned from.

    Raises
    ------
    InputError
        If something does not fit.
    UnavailableError
        If PyTorch is not installed.
    """
    if context is None:
        raise InputError("merge lstm: expected where and when the products are (context).")
    given, options = dict(options or {}), taken_options(options, LSTM_OPTIONS, "lstm")
    if options["model"] is not None:
        others = [name for name in given if name not in ("model", "device")]
        if others:
            raise InputError(f"merge lstm: '{others[0]}' is of a training, but the network of 'model' is trained. "
                             "Leave out one of them.")
        return LstmMerge.load(options["model"], given.get("device")).merge(products, context)
    products = checked_products(products)
    merge = LstmMerge(options["target"], LstmSettings(**{one.name: options[one.name] for one in fields(LstmSettings)}))
    blocks = time_blocks(context.times, *(options[name] for name in ("validation", "test", "gap")))
    error = float(options["target_sigma"])
    split = merge.split(products, context, blocks)
    merge.fit(products, context, split, error)
    merged = merge.merge(products, context)
    merged.details["training_values"] = split.training.sum(axis=0)
    merged.detail_attributes["training_values"] = {"long_name": "values that were learned from", "units": "1"}
    if options["folds"]:
        held = merge.cross_validate(products, context, blocks, options["folds"], error)
        merged = replace(merged, sigma=held.sigma_ratio * merged.sigma)
        for name, values in (("value", held.value), ("sigma", held.sigma_ratio * held.sigma)):
            merged.details[f"held_out_{name}"] = values
            merged.detail_attributes[f"held_out_{name}"] = {
                "long_name": f"{name} at stations by networks that have not seen them", "units": "",
                "sigma_ratio": f"{held.sigma_ratio:.3g}"}
        scores = _scores(held, products, context, blocks)
        merged.detail_attributes["held_out_value"] |= {f"skill_{name}": str(one) for name, one in scores.items()}
        for name, one in scores.items():
            _log.info("merge lstm: %s against stations that were left out: %s.", name, one)
    if options["save"] is not None:
        merge.save(options["save"])
    return merged


def _scores(held: HeldOut, products: np.ndarray, context: MergeContext, blocks: np.ndarray) -> dict[str, MergeSkill]:
    """Return the skill of the mean, of a merge by collocation and of held-out estimates on the same days."""
    estimates = {"mean": merge_mean(products).value, "lstm": held.value}
    if len(products) >= 3:
        by_errors = merge_tc(products, context=context).value
        if np.isfinite(by_errors).any():  # too short a record has none
            estimates["tc"] = by_errors
    in_test = blocks == TEST
    return compare_merged(estimates, context.target, np.broadcast_to(
        (in_test if in_test.any() else ~in_test)[:, None], held.value.shape))


def _at_places(context: MergeContext, part: slice) -> MergeContext:
    """Return what a network sees of some places."""
    return MergeContext(context.names, context.times, context.latitude[part], context.longitude[part],
                        {name: np.asarray(one)[..., part] for name, one in context.predictors.items()})
