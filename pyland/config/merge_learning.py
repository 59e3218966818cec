"""Sections of ``merge.yaml`` for methods that learn from the field itself: ``bme`` and ``lstm``."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key


class MaximumEntropySection(Section):
    """Options of ``method: bme``."""

    errors: str = key(
        "given", "errors of the products: those they have, or from a triple collocation of their anomalies",
        choices=("given", "collocation"))
    mean: str = key(
        "climatology", "mean field: mean and two harmonics of the year at each place, or the mean of the place",
        choices=("climatology", "place"))
    structures: int = key(2, "exponentials of the fitted covariance", kind="integer", at_least=1, at_most=3)
    neighbours: int = key(16, "nearest data in space and time", kind="integer", at_least=1, at_most=20)


class PredictorSection(Section):
    """A variable that the network sees."""

    name: str = key("", "name in messages and in the saved network; unique", kind="text")
    file: str | None = key(None, "netCDF file with latitude, longitude and, where it changes, time", kind="path")
    variable: str = key("", "variable of the file; empty is the name", kind="text")
    radius: float = key(50e3, "how far the nearest value may be", unit="m", above=0)

    @model_validator(mode="after")
    def _check(self) -> PredictorSection:
        problems: list[Problem] = [
            (name, f"expected a {what}, got nothing", ())
            for name, what in (("name", "name"), ("file", "path")) if not getattr(self, name)]
        if problems:
            raise Problems(problems)
        return self


class LstmSection(Section):
    """Options of ``method: lstm`` (extra ``lstm``)."""

    target: str = key(
        "in_situ", "learn from `stations`, or each product from the others", choices=("in_situ", "withheld_product"))
    target_sigma: float = key(0.0, "error of the stations [unit of the type]", unit="1", at_least=0)
    folds: int = key(
        0, "groups of stations that are left out in turn, each a training: held-out estimates and the factor on sigma; "
        "0 is none", kind="integer", at_least=0)
    model: str | None = key(None, "folder of a saved network that is used instead of a training", kind="path")
    save: str | None = key(None, "folder in which the trained network is saved", kind="path")
    validation: float = key(0.15, "share of the period that stops the training", unit="1", above=0, below=1)
    test: float = key(0.2, "share of the period, its end, that is not looked at", unit="1", at_least=0, below=1)
    gap: int = key(30, "days between these blocks that belong to none", kind="integer", at_least=0)
    hidden: int = key(64, "size of the state", kind="integer", at_least=1)
    dropout: float = key(0.2, "share of the state that is left out in training", unit="1", at_least=0, below=1)
    window: int = key(365, "days of a sequence", kind="integer", at_least=1)
    batch: int = key(16, "sequences of a step", kind="integer", at_least=1)
    epochs: int = key(300, "bound of the passes over the data", kind="integer", at_least=1)
    patience: int = key(30, "passes without a better validation that end the training", kind="integer", at_least=1)
    learning_rate: float = key(0.003, "of Adam", unit="1", above=0)
    seed: int = key(0, "of all random numbers", kind="integer", at_least=0)
    device: str = key("cpu", "cpu, cuda, cuda:N or auto", kind="text")
    threads: int = key(1, "threads of the CPU; numbers follow from seed and threads", kind="integer", at_least=1)

    @model_validator(mode="after")
    def _check(self) -> LstmSection:
        problems: list[Problem] = []
        if self.validation + self.test >= 1.0:
            problems.append(("test", f"expected validation + test below 1, got {self.validation + self.test:g}",
                             ("validation", "test")))
        if self.model is not None:
            problems += [(name, "expected none with model: the saved network is trained", (name, "model"))
                         for name in type(self).model_fields
                         if name not in ("model", "device") and self.changes(name)]
        if self.folds == 1:
            problems.append(("folds", "expected 0, or 2 and more groups, got 1", ("folds",)))
        if problems:
            raise Problems(problems)
        return self

    def method_options(self) -> dict[str, Any]:
        """Return the options of `merge_lstm`: with a saved network only those that it takes."""
        if self.model is None:
            return self.model_dump()
        return {"model": self.model, **({"device": self.device} if self.changes("device") else {})}


__all__ = ["LstmSection", "MaximumEntropySection", "PredictorSection"]
