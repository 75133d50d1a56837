"""A CAN bus as the drivers see it: frames in blocks with one stamp each, whatever adapter is behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

__all__ = ["EXTENDED", "WAKE_S", "Arrival", "CanWire", "Frame", "Refused", "Trouble", "id_text"]

EXTENDED = 0x8000_0000
"""Added to a 29-bit identifier, so that one number names a frame."""

WAKE_S = 0.05
WRITE_TIMEOUT_S = 0.2


class Frame(NamedTuple):
    """A data frame. `key`: identifier, plus `EXTENDED` for 29 bits. It arrived in `[lo_ns, at_ns]`."""

    key: int
    data: bytes
    lo_ns: int
    at_ns: int


class Trouble(NamedTuple):
    """What an adapter says of the bus: `kind` as in the topic `can.error`, or `recovered`."""

    kind: str
    detail: str


class Arrival(NamedTuple):
    """What one read brought; everything in it arrived in `[lo_ns, at_ns]`.

    - `frames`: those that are watched. `raw`: all of them as text, when frames are recorded: `201#0011`, and
      `201#0011@150` where the adapter stamped it 150 us after `lo_ns`.
    - `troubles`: what the adapter reports. `damaged`: what was no frame.
    - `heard`: whether anything at all came from the adapter.
    """

    lo_ns: int
    at_ns: int
    frames: list[Frame]
    raw: list[str]
    troubles: list[Trouble]
    damaged: list[str]
    heard: bool

    @property
    def tells(self) -> bool:
        """There is something in it that must be handed over."""
        return bool(self.frames or self.raw or self.troubles or self.damaged)


class Refused(Exception):
    """The adapter did not take a frame, but is there: a full queue, or nobody acknowledges on the bus."""


def id_text(key: int) -> str:
    """An identifier as `candump` writes it: 3 hex digits, or 8 for 29 bits."""
    return f"{key & ~EXTENDED:08X}" if key & EXTENDED else f"{key:03X}"


class CanWire(ABC):
    """One open bus. `receive` is for one thread; the rest may be called from another.

    `watch` and `record` are set before the first `receive`.
    """

    def __init__(self) -> None:
        self.watch: frozenset[int] = frozenset()
        self.record = False
        self.identity: dict[str, str] = {}
        self.seen = b""
        """The last bytes that came, to show what answers where an adapter was expected."""

    @property
    def answers(self) -> bool:
        """The adapter itself has shown that it is one, whether frames came or not."""
        return True

    @abstractmethod
    def receive(self, timeout_s: float = WAKE_S) -> Arrival:
        """What there is, or what comes first within `timeout_s`; an empty arrival when nothing does.

        Raises:
            OSError: the adapter is gone.
        """

    @abstractmethod
    def send(self, key: int, data: bytes) -> None:
        """Write one frame.

        Raises:
            Refused: the adapter did not take it.
            OSError: the adapter is gone.
        """

    def enquire(self) -> None:  # noqa: B027 - most adapters cannot be asked
        """Ask the adapter how the bus is, where it can be asked; the answer comes as troubles. Called once a second.

        Raises:
            OSError: the adapter is gone.
        """

    def wake(self) -> None:  # noqa: B027 - one that cannot wakes after 50 ms anyway
        """End a `receive` that waits in another thread."""

    @abstractmethod
    def close(self) -> None:
        """Close it; raises nothing, the adapter may be gone."""
