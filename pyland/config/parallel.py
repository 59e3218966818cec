"""Section ``parallel``: how a run is spread over ranks and threads."""

from __future__ import annotations

from pydantic import field_validator

from pyland.config.fields import Section, key


class ParallelSection(Section):
    """Ranks and threads."""

    member_groups: int | str = key(
        "auto",
        "ranks that share a cell; only 1 is available in this version",
        kind="integer",
        at_least=1,
        also=("auto",),
    )
    tiles: int | str = key(
        "auto",
        "groups of neighbouring cells, one per rank; auto is the number of ranks",
        kind="integer",
        at_least=1,
        also=("auto",),
    )
    threads: int | str = key(
        "auto", "threads per rank; auto is OMP_NUM_THREADS", kind="integer", at_least=1, at_most=1024, also=("auto",)
    )

    @field_validator("member_groups", mode="after")
    @classmethod
    def _groups(cls, value: int | str) -> int | str:
        if value not in ("auto", 1):
            raise ValueError(
                f"more than one member group is not available in this version; available: auto or 1, got {value}"
            )
        return value
