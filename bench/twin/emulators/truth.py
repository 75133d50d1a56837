"""The twin's own log: what really happened and when, to hold the bench's stamps against."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..model.plant import Fact

__all__ = ["TruthLog"]


class TruthLog:
    """JSON lines in `truth.jsonl`; all times are CLOCK_MONOTONIC nanoseconds.

    Times at which the model stood still go to `stalls.jsonl` beside it, which exists when there were any.
    """

    def __init__(self, path: Path) -> None:
        self._stalls = path.with_name("stalls.jsonl")
        self._stalls.unlink(missing_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def fact(self, fact: Fact, *, evse: int = 1, station: str | None = None) -> None:
        """An edge in the model of one outlet."""
        entry: dict[str, Any] = {"t_ns": fact.t_ns, "fact": fact.name, "value": fact.value, "evse": evse}
        if station is not None:
            entry["station"] = station
        if fact.since_ns != fact.t_ns:
            entry["since_ns"] = fact.since_ns
        self._write(entry)

    def command(self, device: str, t_ns: int, command: str, **did: Any) -> None:
        """What an emulator was told at `t_ns`, as it understood it, and what it did then."""
        self._write({"t_ns": t_ns, "device": device, "command": command, **did})

    def sent(self, *, t_ns: int, seen_ns: int, sent_ns: int, device_us: int, line: str) -> None:
        """An event line of the pilot: true at `t_ns`, seen (and stamped) by the device at `seen_ns`."""
        self._write({"t_ns": t_ns, "seen_ns": seen_ns, "sent_ns": sent_ns, "device_us": device_us, "line": line})

    def stalled(self, from_ns: int, to_ns: int) -> None:
        """No tick came in this time: the machine did not let this process run."""
        with self._stalls.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"from_ns": from_ns, "to_ns": to_ns}) + "\n")

    def close(self) -> None:
        os.close(self._fd)

    def _write(self, entry: dict[str, Any]) -> None:
        os.write(self._fd, json.dumps(entry).encode() + b"\n")
