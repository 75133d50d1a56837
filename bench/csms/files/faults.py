"""What the file port does wrong on command."""

from __future__ import annotations

from collections import deque

import msgspec

from ....errors import CsmsError

__all__ = ["Faults", "FileFault"]


class FileFault(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a transfer goes wrong; several fields together act together.

    - `status`: this HTTP status (400..599) instead of the transfer.
    - `cut_after`: after so many bytes of the body the connection is closed.
    - `stall_after`, `stall_s`: after so many bytes nothing happens for so long (None: until the station gives up).
    - `bytes_per_s`: the transfer is this slow.
    - `corrupt`: one bit in the middle of the body is turned over; its length stays. Downloads only.
    - `length_off`: Content-Length is wrong by so many bytes, more or fewer than come. Downloads only.

    Counts are bytes of the body of this transfer, so of a resumed download the rest only.

    Raises:
        CsmsError: a value is out of range, or nothing is said at all.
    """

    status: int | None = None
    cut_after: int | None = None
    stall_after: int | None = None
    stall_s: float | None = None
    bytes_per_s: float | None = None
    corrupt: bool = False
    length_off: int = 0

    def __post_init__(self) -> None:
        if not self.label:
            raise CsmsError("a fault of the file port says nothing; give status, cut_after, stall_after, ...")
        if self.status is not None and not 400 <= self.status <= 599:
            raise CsmsError(f"a fault answers with an error, 400 to 599, not {self.status}.")
        for name in ("cut_after", "stall_after", "stall_s"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise CsmsError(f"{name} of a fault is 0 or more, not {value:g}.")
        if self.bytes_per_s is not None and not self.bytes_per_s > 0:
            raise CsmsError(
                f"bytes_per_s of a fault is more than 0, not {self.bytes_per_s:g}; stall_after stands still."
            )

    @property
    def label(self) -> str:
        """What goes wrong, for the timeline."""
        parts = {
            "status": self.status,
            "cut after": self.cut_after,
            "stall after": self.stall_after,
            "bytes/s": self.bytes_per_s,
            "corrupt": self.corrupt or None,
            "length off by": self.length_off or None,
        }
        return ", ".join(
            name if value is True else f"{name} {value:g}" for name, value in parts.items() if value is not None
        )


class Faults:
    """Faults that wait for the next transfers of one file or slot, in the order they were asked for."""

    def __init__(self) -> None:
        self._next: deque[FileFault] = deque()
        self._always: FileFault | None = None

    def add(self, fault: FileFault, times: int | None) -> None:
        """Let the next `times` transfers go wrong; None: all from when the others are used up."""
        if times is None:
            self._always = fault
        else:
            self._next.extend([fault] * times)

    def clear(self) -> None:
        """Everything goes well again."""
        self._next.clear()
        self._always = None

    def take(self) -> FileFault | None:
        """What goes wrong with the transfer that begins now."""
        return self._next.popleft() if self._next else self._always
