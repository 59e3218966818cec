"""Key ``error_model`` of an entry of ``observations``: errors of a product that are not one number."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

_MODELS = {"factor": "product", "floor": "product", "column": "classes", "edges": "classes", "errors": "classes",
           "file": "collocation"}
"""Key and the model that it belongs to."""


class ErrorModelSection(Section):
    """Errors of a product by what it says itself, by classes of one of its columns, or by place and season."""

    example: ClassVar[str | None] = "{factor: 1.2, floor: 0.02}"

    factor: float | None = key(None, "factor on what the product says; null is 1 with floor", unit="1", above=0)
    floor: float | None = key(
        None, "least error, with factor or alone; null is none", unit="m3 m-3 or that of the type", above=0)
    column: str | None = key(
        None, "column of the product's table that sorts observations into classes, such as optical_depth or "
        "vegetation_water", kind="text")
    edges: list[float] | None = key(
        None, "rising limits between the classes, in the unit of the column; a value on a limit belongs to the upper "
        "class", kind="numbers")
    errors: list[float] | None = key(
        None, "standard deviation of each class, one more than edges", unit="m3 m-3 or that of the type",
        kind="numbers", above=0)
    file: str | None = key(
        None, "errors by place and part of the year that a collocation found (`write_errors`)", kind="path")
    otherwise: float | None = key(
        None, "error where the model knows none; null: such observations are not used (error_not_positive)",
        unit="m3 m-3 or that of the type", above=0)

    @property
    def model(self) -> str:
        """Which model it is: ``product``, ``classes`` or ``collocation``."""
        return next(model for name, model in _MODELS.items() if getattr(self, name) is not None)

    @property
    def standard_deviations(self) -> dict[str, float]:
        """The errors that are given, by key [unit of the type]."""
        numbers = {"floor": self.floor, "otherwise": self.otherwise}
        numbers |= {"errors": max(self.errors, default=None)} if self.errors else {}
        return {name: value for name, value in numbers.items() if value is not None}

    @model_validator(mode="after")
    def _check(self) -> ErrorModelSection:
        problems: list[Problem] = []
        given = [name for name in _MODELS if getattr(self, name) is not None]
        models = list(dict.fromkeys(_MODELS[name] for name in given))
        if len(models) != 1:
            raise Problems([("factor", "expected one of factor or floor (what the product says), column with edges and "
                             f"errors, and file, got {' and '.join(given) or 'none'}", tuple(given))])
        if models == ["classes"]:
            lacking = [name for name in ("column", "edges", "errors") if name not in given]
            if lacking:
                problems.append((lacking[0], "expected column, edges and errors together, got no "
                                 f"{' and no '.join(lacking)}", tuple(given)))
            elif len(self.errors) != len(self.edges) + 1:
                problems.append(("errors", f"expected {len(self.edges) + 1} errors, one more than edges, got "
                                 f"{len(self.errors)}", ("errors", "edges")))
            elif any(upper <= lower for lower, upper in zip(self.edges, self.edges[1:], strict=False)):
                problems.append(("edges", f"expected rising limits, got {self.edges}", ("edges",)))
        if problems:
            raise Problems(problems)
        return self


__all__ = ["ErrorModelSection"]
