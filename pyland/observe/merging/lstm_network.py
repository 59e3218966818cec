"""The network: one LSTM layer over the days, and a head that weighs the products that are there.

Learned from stations, the head is free,

    theta_m = sum_i w_i (g_i theta_i + o_i) + delta,   w = softmax over available products,   log sigma:

weights, delta and log sigma come from the hidden state of the day, gains and offsets of the products are numbers. At
the start all products have the same weight, and delta is 0: the network begins as the mean. Delta sees the products
too, so that with gains below 1 a weight is not the share of a product in the value.

Learned from withheld products, what is seen is the sum of two errors, that of the estimate and that of the product.
They come apart because the head has errors e_i of the products, and a guess mu with an error of its own, and no more:

    theta_m = sigma^2 (mu/e_0^2 + sum_i theta_i/e_i^2),   sigma^-2 = e_0^-2 + sum_i e_i^-2   over available products,

and product j is predicted with the variance sigma^2 + e_j^2. The weights are again a softmax, of -2 log e_i; delta is
what the guess adds. PyTorch is the extra ``lstm``; only this file, `lstm_training` and `lstm` use it.

References
----------
.. [1] Hochreiter, S., Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9, 1735-1780.
.. [2] Nix, D. A., Weigend, A. S. (1994). Estimating the mean and variance of the target probability distribution. IEEE
   Int. Conf. Neural Networks 1, 55-60.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from pyland.base.errors import InputError, UnavailableError

LOG_SIGMA_BOUNDS = (-5.0, 3.0)
"""Least and largest logarithm of sigma over the standard deviation of the target: errors below 0.7 % or above 20 times
it are none of a soil-moisture product."""


class NetworkOutput(NamedTuple):
    """Output of the network in units of the normalised target; tensors.

    Attributes
    ----------
    mean, log_sigma : tensor, shape (sequence, time)
        Estimate, and logarithm of the standard deviation of its error.
    weights : tensor, shape (sequence, time, product)
        Weights of the products that are there.
    log_error : tensor, shape (sequence, time, product)
        Logarithms of the errors of the products; of the head for withheld products.
    log_guess_error, guess : tensor, shape (sequence, time)
        Logarithm of the error of what is known without products of the day, and its value; of the same head.
    """

    mean: Any
    log_sigma: Any
    weights: Any
    log_error: Any
    log_guess_error: Any
    guess: Any


def need_torch() -> Any:
    """Return the module torch.

    Raises
    ------
    UnavailableError
        If it is not installed.
    """
    try:
        import torch
    except ImportError:
        raise UnavailableError("merge lstm: needs PyTorch, which is not installed. Install pyland[lstm], or merge by "
                               "mean, tc or bme.") from None
    return torch


def chosen_device(device: str) -> Any:
    """Return a torch device by name: ``cpu``, ``cuda``, ``cuda:1`` and so on, or ``auto``: a GPU if there is one.

    Raises
    ------
    InputError
        If the name is none of these.
    UnavailableError
        If there is no such device.
    """
    torch = need_torch()
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (number and (kind == "cpu" or not number.isdigit())):
        raise InputError(f"merge lstm: device must be cpu, cuda, cuda:N or auto, got '{device}'.")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UnavailableError(f"merge lstm: there is no device '{device}'; PyTorch sees {torch.cuda.device_count()} "
                               "GPUs. Use device: auto or cpu.")
    return torch.device(device)


@contextmanager
def reproducible(seed: int, threads: int, device: Any) -> Iterator[None]:
    """Make what torch does within follow from a seed, and put its settings back at the end.

    On a CPU the same seed and number of threads give the same bits.
    """
    torch = need_torch()
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    # of a GPU some kernels of the LSTM are not deterministic, and would be refused
    torch.use_deterministic_algorithms(device.type == "cpu")
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


def new_network(kind: str, features: int, products: int, hidden: int, dropout: float) -> Any:
    """Return a network for a kind of target with random weights of the current seed, a torch module."""
    torch = need_torch()
    parts = {
        "lstm": torch.nn.LSTM(features, hidden, batch_first=True),
        "dropout": torch.nn.Dropout(dropout),
        "head": torch.nn.Linear(hidden, products + 2),
    }
    if kind == "in_situ":
        parts["rescaling"] = torch.nn.ParameterDict({"gain": torch.nn.Parameter(torch.ones(products)),
                                                     "offset": torch.nn.Parameter(torch.zeros(products))})
    network = torch.nn.ModuleDict(parts)
    torch.nn.init.zeros_(network["head"].weight)
    torch.nn.init.zeros_(network["head"].bias)
    with torch.no_grad():  # the forget gate is open at the start, so that the gradient reaches back (Jozefowicz 2015)
        network["lstm"].bias_ih_l0[hidden:2 * hidden] = 1.0
    return network


def apply_network(network: Any, features: Any, products: Any, available: Any) -> NetworkOutput:
    """Run the network over sequences from a state of zero.

    Parameters
    ----------
    network : torch module
        Of `new_network`.
    features : tensor, shape (sequence, time, feature)
        Of `features_of`.
    products : tensor, shape (sequence, time, product)
        Products in units of the normalised target; any number where one is not there.
    available : tensor of bool, shape (sequence, time, product)
        Which products are there.

    Returns
    -------
    NetworkOutput
    """
    torch = need_torch()
    number = products.shape[-1]
    raw = network["head"](network["dropout"](network["lstm"](features)[0]))
    nothing = torch.zeros_like(products)
    last = raw[..., number + 1].clamp(*LOG_SIGMA_BOUNDS)
    if "rescaling" in network:
        weights = masked_softmax(raw[..., :number], available)
        scaled = network["rescaling"]["gain"] * products + network["rescaling"]["offset"]
        mean = (weights * torch.where(available, scaled, nothing)).sum(dim=-1) + raw[..., number]
        return NetworkOutput(mean, last, weights, raw[..., :number], last, raw[..., number])
    log_error = raw[..., :number].clamp(*LOG_SIGMA_BOUNDS)
    precision = torch.where(available, torch.exp(-2.0 * log_error), nothing)
    prior = torch.exp(-2.0 * last)
    total = prior + precision.sum(dim=-1)
    mean = (prior * raw[..., number] + (precision * torch.where(available, products, nothing)).sum(dim=-1)) / total
    return NetworkOutput(mean, -0.5 * torch.log(total), masked_softmax(-2.0 * log_error, available), log_error, last,
                         raw[..., number])


def masked_softmax(logits: Any, available: Any) -> Any:
    """Return weights (..., product) over available products; 0 where none is: `available_softmax` in torch."""
    torch = need_torch()
    some = available.any(dim=-1, keepdim=True)
    top = torch.where(some, logits.masked_fill(~available, -torch.inf).amax(dim=-1, keepdim=True),
                      torch.zeros_like(logits[..., :1])).detach()
    power = torch.where(available, torch.exp(torch.where(available, logits - top, torch.zeros_like(logits))),
                        torch.zeros_like(logits))
    return power / torch.where(some, power.sum(dim=-1, keepdim=True), torch.ones_like(top))


def negative_log_likelihood(output: NetworkOutput, target: Any, counted: Any, target_variance: Any) -> Any:
    """Return the Gaussian negative logarithmic likelihood [2]_ of the counted values, a sum without the constant.

    Parameters
    ----------
    output : NetworkOutput
        Of the network.
    target : tensor, shape (sequence, time)
        Normalised target; any number where it is not counted.
    counted : tensor of bool, shape (sequence, time)
        Which values count.
    target_variance : tensor that broadcasts to target
        Error variance of the target itself [1], beside that of the estimate.
    """
    torch = need_torch()
    variance = torch.exp(2.0 * output.log_sigma) + target_variance
    each = 0.5 * ((target - output.mean) ** 2 / variance + torch.log(variance))
    return torch.where(counted, each, torch.zeros_like(each)).sum()


def parameter_count(network: Any) -> int:
    """Return the number of trained numbers of a network."""
    return int(np.sum([one.numel() for one in network.parameters()]))
