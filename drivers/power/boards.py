"""What a relay board is to its driver: numbers, coils, and whether it says what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, NamedTuple, Protocol

from ...errors import DeviceLost
from ..emergency import Wire
from ..ports import PortLock, Reach

__all__ = ["Board", "Done", "OnDead"]

OnDead = Callable[[Exception, int, int], DeviceLost]
"""Called with the error, the instant since which nothing is known, and now."""


class Done(NamedTuple):
    """Something was done or read between two instants; `raw` is what stood on the wire."""

    sent_ns: int
    at_ns: int
    raw: str


class Board(Protocol):
    """The wire of one make of board. Its relays have the numbers that the board itself gives them."""

    observed: ClassVar[bool]
    """True when the board says what its coils do. Else a state is what was commanded, and nobody saw it."""

    numbers: ClassVar[range]
    """Numbers that a relay may have."""

    @property
    def alive(self) -> bool: ...

    @property
    def beat_ns(self) -> int | None: ...

    def take_port(self) -> PortLock | None:
        """The lock of a port that is shared with others; None: the driver takes one for itself."""
        ...

    async def open(self) -> dict[str, str]:
        """Open the wire and say who answers, as far as the board says."""
        ...

    async def put(self, n: int, energised: bool) -> Done:
        """Switch the coil of relay `n`.

        Raises:
            NoAnswer or NotAnswered: nobody knows whether it did.
            DeviceError: it refused.
        """
        ...

    async def look(self, numbers: Iterable[int]) -> tuple[Mapping[int, bool], Done]:
        """Which of these coils are energised; not to be asked of a board that is not `observed`."""
        ...

    async def close(self) -> None: ...

    def wire(self) -> tuple[Wire, Reach, str]:
        """How the guardian reaches it."""
        ...

    def step(self, n: int, energised: bool) -> tuple[bytes, str | None]:
        """The bytes that switch a coil, and the expression over what comes back that acknowledges it."""
        ...

    def check(self, n: int, energised: bool) -> tuple[bytes, str] | None:
        """The bytes that ask for a coil, and the expression that proves its state; None where `step` proves it already.

        Also None where nothing does: the board is not `observed` then.
        """
        ...
