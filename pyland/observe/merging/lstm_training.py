"""How the network is trained: windows of days, Gaussian likelihood, early stopping, numbers that follow from a seed."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pyland.base.errors import ConvergenceError, InputError
from pyland.base.logging import get_logger
from pyland.observe.merging.lstm_inputs import Normalisation, window_starts
from pyland.observe.merging.lstm_network import (
    NetworkOutput,
    apply_network,
    chosen_device,
    need_torch,
    negative_log_likelihood,
    new_network,
    parameter_count,
    reproducible,
)

_log = get_logger("merge")

TARGETS = ("in_situ", "withheld_product")
"""What is learned: values of stations, or each product from the others."""

LARGEST_GRADIENT = 1.0
"""Norm to which gradients are cut (Pascanu et al. 2013, ICML), in units of the normalised loss."""

PLACES_AT_ONCE = 512
"""Places of one call of the network: some 100 MB with a window of a year."""

_PURPOSE = 0x6C73746D


@dataclass(frozen=True)
class LstmSettings:
    """Size of the network and course of the training.

    Attributes
    ----------
    hidden : int
        Numbers in the state of the LSTM.
    dropout : float
        Share of them that is left out at each step of training [1].
    window : int
        Days of a sequence.
    batch : int
        Sequences of one step.
    epochs : int
        Bound of the passes over the training part.
    patience : int
        Passes without a better validation after which training ends.
    learning_rate : float
        Of Adam.
    seed : int
        Of initial weights, order, dropout and hidden products.
    device : str
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``.
    threads : int
        Threads of the CPU; numbers are those of a seed and a number of threads.

    Raises
    ------
    InputError
        If one cannot be.
    """

    hidden: int = 64
    dropout: float = 0.2
    window: int = 365
    batch: int = 16
    epochs: int = 300
    patience: int = 30
    learning_rate: float = 3e-3
    seed: int = 0
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("hidden", "window", "batch", "epochs", "patience", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"merge lstm: {name} must be 1 or more, got {getattr(self, name)}.")
        if not 0.0 <= self.dropout < 1.0 or not self.learning_rate > 0.0:
            raise InputError("merge lstm: expected dropout in [0, 1) and a positive learning_rate, got "
                             f"{self.dropout} and {self.learning_rate}.")


@dataclass(frozen=True)
class TrainingData:
    """What the network is trained on; arrays of float32, in units of the normalised target.

    Attributes
    ----------
    kind : str
        One of :data:`TARGETS`.
    features : ndarray, shape (place, time, feature)
    products : ndarray, shape (place, time, product)
        0 where a product is not there.
    available : ndarray of bool, shape (place, time, product)
    target : ndarray, shape (place, time, goal)
        One goal, or the products themselves; 0 where there is none.
    target_variance : float
        Error variance of the stations; that of withheld products is learned.
    training, validation : ndarray of bool, shape (place, time, goal)
        Which values count.
    """

    kind: str
    features: np.ndarray
    products: np.ndarray
    available: np.ndarray
    target: np.ndarray
    target_variance: float
    training: np.ndarray
    validation: np.ndarray


@dataclass(frozen=True)
class TrainingRecord:
    """What happened in a training.

    Attributes
    ----------
    target, seed, device, threads
        As they were chosen.
    parameters : int
        Trained numbers.
    epochs, best_epoch : int
        Passes, and the one (from 1) whose weights are kept.
    stopped_early : bool
        Whether patience ended it, and not the bound.
    training_loss, validation_loss : tuple of float
        Mean negative logarithmic likelihood of each pass, without its constant.
    seconds, seconds_per_epoch : float
        Wall time [s].
    place_years : float
        Data of one pass: places times years of 365 days.
    values : int
        Values of the target that were learned from.
    """

    target: str
    seed: int
    device: str
    threads: int
    parameters: int
    epochs: int
    best_epoch: int
    stopped_early: bool
    training_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    seconds: float
    seconds_per_epoch: float
    place_years: float
    values: int

    def in_words(self) -> dict[str, str]:
        """Return the record as attributes of a file."""
        words = {name: value for name, value in asdict(self).items() if not name.endswith("_loss")}
        words["validation_loss"] = f"{self.validation_loss[self.best_epoch - 1]:.4f}"
        return {name: f"{value:.3g}" if isinstance(value, float) else str(value) for name, value in words.items()}


def train_network(data: TrainingData, settings: LstmSettings) -> tuple[dict[str, Any], TrainingRecord]:
    """Train a network until the validation gets no better.

    Parameters
    ----------
    data : TrainingData
        Inputs and goals.
    settings : LstmSettings
        Size and course.

    Returns
    -------
    state : dict of str to tensor
        Weights of the best pass, on the CPU.
    record : TrainingRecord

    Raises
    ------
    ConvergenceError
        If the loss is not finite.
    UnavailableError
        If PyTorch or the device is not there.
    """
    torch = need_torch()
    device = chosen_device(settings.device)
    begin = time.perf_counter()
    with reproducible(settings.seed, settings.threads, device):
        network = new_network(data.kind, data.features.shape[-1], data.products.shape[-1], settings.hidden,
                              settings.dropout).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
        tensors = _Tensors(data, device)
        best, best_loss, best_epoch, course = None, math.inf, 0, ([], [])
        for epoch in range(1, settings.epochs + 1):
            course[0].append(_one_epoch(network, optimizer, tensors, settings, epoch))
            loss = _validation_loss(network, tensors, settings)
            course[1].append(loss)
            if not math.isfinite(course[0][-1]) or not math.isfinite(loss):
                raise ConvergenceError(f"merge lstm: the loss is not finite in epoch {epoch}; take a smaller "
                                       f"learning_rate than {settings.learning_rate}.")
            if loss < best_loss:
                best_loss, best_epoch = loss, epoch
                best = {name: one.detach().cpu().clone() for name, one in network.state_dict().items()}
            elif epoch - best_epoch >= settings.patience:
                break
    seconds = time.perf_counter() - begin
    stopped = epoch - best_epoch >= settings.patience
    if not stopped:
        _log.warning("merge lstm: training ended at its bound of %d epochs, the best was epoch %d; more epochs may be "
                     "better.", settings.epochs, best_epoch)
    days = int(data.training.any(axis=(0, 2)).sum())
    return best, TrainingRecord(
        data.kind, settings.seed, str(device), settings.threads, parameter_count(network), epoch, best_epoch, stopped,
        tuple(course[0]), tuple(course[1]), seconds, seconds / epoch,
        float(data.training.any(axis=(1, 2)).sum() * days / 365.0), int(data.training.sum()))


def run_network(network: Any, features: np.ndarray, products: np.ndarray, available: np.ndarray, window: int,
                device: Any) -> NetworkOutput:
    """Run a trained network over whole records.

    Parameters
    ----------
    network : torch module
        On ``device``.
    features, products, available : ndarray, shape (place, time, ...)
        As in `TrainingData`.
    window : int
        Days of a sequence; see `window_starts`.
    device : torch.device
        Where it runs.

    Returns
    -------
    NetworkOutput
        Arrays of shape (time, place) and (product, time, place), in units of the normalised target.
    """
    torch = need_torch()
    places, steps, number = products.shape
    out = NetworkOutput(*(np.empty((places, steps, number) if name in ("weights", "log_error") else (places, steps))
                          for name in NetworkOutput._fields))
    network.eval()
    with torch.no_grad():
        for start, end, kept in window_starts(steps, window):
            parts = (torch.from_numpy(np.ascontiguousarray(one[:, start:end])).to(device)
                     for one in (features, products, available))
            for whole, part in zip(out, apply_network(network, *parts), strict=True):
                whole[:, kept:end] = part[:, kept - start:].cpu().numpy()
    return NetworkOutput(*(one.T for one in out))


def hide_product(features: np.ndarray, available: np.ndarray, product: int) -> tuple[np.ndarray, np.ndarray]:
    """Return copies of features (..., feature) and availability (..., product) without one product.

    The features of a product are its value and its mask, see `features_of`.
    """
    features, available = features.copy(), available.copy()
    features[..., [product, available.shape[-1] + product]] = 0.0
    available[..., product] = False
    return features, available


class _Tensors:
    """The data on the device, and batches of windows from them."""

    def __init__(self, data: TrainingData, device: Any) -> None:
        torch = need_torch()
        self.torch, self.device, self.kind = torch, device, data.kind
        self.number = data.products.shape[-1]
        self.steps = data.training.shape[1]
        self._parts = [torch.from_numpy(np.ascontiguousarray(one)).to(device) for one in (
            data.features, data.products, data.available, data.target)]
        self._counted = {"training": torch.from_numpy(data.training).to(device),
                         "validation": torch.from_numpy(data.validation).to(device)}
        self._variance = data.target_variance
        self.days = {name: (np.cumsum(np.pad(one.any(axis=2), ((0, 0), (1, 0))), axis=1, dtype=np.int64))
                     for name, one in (("training", data.training), ("validation", data.validation))}
        self.goals = data.target.shape[2]

    def with_values(self, part: str, places: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
        """Return which windows hold values of a part, shape (window,)."""
        before = self.days[part]
        return before[places, starts + length] > before[places, starts]

    def batch(self, part: str, places: np.ndarray, starts: np.ndarray, length: int,
              goals: np.ndarray) -> tuple[Any, ...]:
        """Return features, products, available, target, counted and the goal of windows."""
        torch = self.torch
        place = torch.from_numpy(places).to(self.device)[:, None]
        step = torch.from_numpy(starts).to(self.device)[:, None] + torch.arange(length, device=self.device)
        features, products, available, target = (one[place, step] for one in self._parts)
        counted = self._counted[part][place, step]
        goal = torch.from_numpy(goals).to(self.device)
        picked = goal[:, None, None].expand(-1, length, 1)
        target, counted = target.gather(2, picked)[..., 0], counted.gather(2, picked)[..., 0]
        if self.kind == "withheld_product":
            hidden = torch.nn.functional.one_hot(goal, self.number).bool()
            available = available & ~hidden[:, None, :]
            blank = torch.zeros(len(goals), features.shape[-1], dtype=torch.bool, device=self.device)
            blank[:, :self.number] = hidden
            blank[:, self.number:2 * self.number] = hidden
            features = features.masked_fill(blank[:, None, :], 0.0)
        return features, products, available, target, counted, goal

    def loss(self, network: Any, batch: tuple[Any, ...], counted: Any) -> Any:
        """Return the negative logarithmic likelihood of a batch, the sum over the counted values."""
        torch = self.torch
        output = apply_network(network, *batch[:3])
        if self.kind == "in_situ":
            return negative_log_likelihood(output, batch[3], counted, self._variance)
        picked = batch[5][:, None, None].expand(-1, counted.shape[1], 1)
        return negative_log_likelihood(output, batch[3], counted,
                                       torch.exp(2.0 * output.log_error.gather(2, picked)[..., 0]))


def _one_epoch(network: Any, optimizer: Any, tensors: _Tensors, settings: LstmSettings, epoch: int) -> float:
    """Pass once over the training part in windows that begin at random; return the mean loss of a value."""
    network.train()
    random = np.random.Generator(np.random.Philox(key=[settings.seed % 2**64, _PURPOSE], counter=[0, 0, 0, epoch]))
    days = tensors.days["training"]
    used = np.flatnonzero(days[:, -1] > 0)
    some = np.flatnonzero(np.diff(days, axis=1).any(axis=0))
    first, last = some[0], some[-1] + 1
    length = min(settings.window, last - first)
    places = np.repeat(used, math.ceil((last - first) / length))
    starts = random.integers(first, last - length + 1, places.size)
    goals = random.integers(0, tensors.goals, places.size)
    order = random.permutation(np.flatnonzero(tensors.with_values("training", places, starts, length)))
    total, count = 0.0, 0
    for begin in range(0, order.size, settings.batch):
        rows = order[begin:begin + settings.batch]
        batch = tensors.batch("training", places[rows], starts[rows], length, goals[rows])
        number = int(batch[4].sum())
        if number == 0:  # the hidden product has no value in these windows
            continue
        optimizer.zero_grad()
        loss = tensors.loss(network, batch, batch[4]) / number
        loss.backward()
        tensors.torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        total, count = total + float(loss.detach()) * number, count + number
    return total / max(count, 1)


def _validation_loss(network: Any, tensors: _Tensors, settings: LstmSettings) -> float:
    """Return the mean loss over all values of the validation part, each seen once."""
    network.eval()
    used = np.flatnonzero(tensors.days["validation"][:, -1] > 0)
    total, count = 0.0, 0
    with tensors.torch.no_grad():
        for start, end, kept in window_starts(tensors.steps, settings.window):
            rows = used[tensors.with_values("validation", used, np.full(used.size, kept), end - kept)]
            for goal in range(tensors.goals):
                for begin in range(0, rows.size, PLACES_AT_ONCE):
                    places = rows[begin:begin + PLACES_AT_ONCE]
                    batch = tensors.batch("validation", places, np.full(places.size, start), end - start,
                                          np.full(places.size, goal))
                    counted = batch[4].clone()
                    counted[:, :kept - start] = False
                    total += float(tensors.loss(network, batch, counted))
                    count += int(counted.sum())
    if count == 0:
        raise InputError("merge lstm: the validation part has no value.")
    return total / count


def scaled_products(products: np.ndarray, normalisation: Normalisation) -> tuple[np.ndarray, np.ndarray]:
    """Return products in units of the normalised target and where they are, both shape (place, time, product)."""
    scaled = np.moveaxis((products - normalisation.target_mean) / normalisation.target_std, (0, 1, 2), (2, 1, 0))
    there = np.isfinite(scaled)
    return np.where(there, scaled, 0.0).astype(np.float32), there
