"""The exceptions of pyland: one tree, each with the exit code of the command line."""

from __future__ import annotations


class PylandError(Exception):
    """Base of all errors that pyland raises on purpose.

    A message is a sentence: what, where (file, line, key, cell, member, time), expected, got, what to do.

    Attributes
    ----------
    member : int or None
        Place of the member among those of this rank, where the numerics of one failed.
    """

    exit_code = 1
    member: int | None = None


class ConfigError(PylandError):
    """The case configuration is wrong; carries all problems of a file at once."""

    exit_code = 2


class InputError(PylandError, ValueError):
    """A file, array or argument does not fit."""

    exit_code = 2


class OutputError(PylandError, OSError):
    """A file cannot be written: no space, no permission, a broken disk."""

    exit_code = 2


class UnavailableError(PylandError, NotImplementedError):
    """A documented feature that this version or build does not have."""

    exit_code = 2


class ConvergenceError(PylandError, ArithmeticError):
    """An iteration reached its bound."""

    exit_code = 3


class BalanceError(PylandError, ArithmeticError):
    """Water or energy does not close."""

    exit_code = 3


class StateError(PylandError, ArithmeticError):
    """The state holds an impossible value, or memory ran out."""

    exit_code = 3
