"""Section ``parallel``: how a run is spread over ranks and threads."""

from __future__ import annotations

from pyland.config.fields import Section, key


class ParallelSection(Section):
    """Ranks and threads."""

    member_groups: int | str = key(
        "auto",
        "groups of members, each on ranks of its own; auto makes tiles first, then as many groups as ranks are left",
        kind="integer",
        at_least=1,
        also=("auto",),
    )
    tiles: int | str = key(
        "auto",
        "groups of neighbouring cells; member_groups x tiles is the number of ranks",
        kind="integer",
        at_least=1,
        also=("auto",),
    )
    threads: int | str = key(
        "auto", "threads per rank; auto is OMP_NUM_THREADS", kind="integer", at_least=1, at_most=1024, also=("auto",)
    )
