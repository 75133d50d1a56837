"""One entry of the timeline."""

from __future__ import annotations

from typing import Any

import msgspec

from .stamp import Stamp

__all__ = ["Event"]


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened: an observation, a stimulus, a message, or a remark of the bench.

    - `topic`: one of the names in `topics`.
    - `source`, `rank`: who says so, and its fixed place in the canonical order.
    - `seq`: counts from 1 without holes within the source.
    - `data`: plain JSON values; keys carry their unit (`duty_pct`, `current_a`).
    - `evse`: outlet it belongs to, from 1; None where it belongs to no single one.
    - `raw`: the bytes on the wire as text (binary as hex), where there were any.
    - `late`: it came after its source had promised that nothing older would come.
    """

    topic: str
    source: str
    seq: int
    stamp: Stamp
    data: dict[str, Any]
    evse: int | None = None
    raw: str | None = None
    rank: int = 0
    late: bool = False

    @property
    def id(self) -> str:
        """Names the event within its run, e.g. `pilot#42`."""
        return f"{self.source}#{self.seq}"

    @property
    def order(self) -> tuple[int, int, int]:
        """The canonical order; it depends on no clock model and on no payload."""
        return (self.stamp.order_ns, self.rank, self.seq)
