"""The one error tree of pilotbench.

::

    BenchError
    ├── ConfigError      a bench file, limits file or command line is wrong
    ├── DeviceError      an instrument did not do what was asked
    │   └── DeviceLost   it was there and is gone
    ├── SafetyError      refused by the gate, or the outputs could not be made safe
    ├── RuleError        a rule pack cannot be read
    ├── RecordingError   a recording cannot be written or read
    ├── CsmsError        the back end cannot serve, or a station did not answer it
    │   └── StationTimeout   the station never connected or never answered
    └── TwinError        a process of the virtual bench did not start or died

A message says what was tried, what happened and what to do, in one paragraph.
Exceptions of libraries are mapped at the edge where they occur and chained.
"""

from __future__ import annotations

__all__ = [
    "BenchError",
    "ConfigError",
    "CsmsError",
    "DeviceError",
    "DeviceLost",
    "RecordingError",
    "RuleError",
    "SafetyError",
    "StationTimeout",
    "TwinError",
]


class BenchError(Exception):
    """Base of every error that pilotbench raises on purpose.

    `exit_code` is what the command line returns when the error ends a run.
    """

    exit_code = 4


class ConfigError(BenchError):
    """A bench file, limits file or argument is wrong.

    `file` and `line` (from 1) say where, when that is known.
    """

    exit_code = 2

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        where = "" if file is None else f"{file}:{line}: " if line is not None else f"{file}: "
        super().__init__(where + message)
        self.file = file
        self.line = line


class DeviceError(BenchError):
    """An instrument refused, did not answer, or answered nonsense.

    `device` is its name in the bench file, `port` the port or address it was opened on,
    `sent` and `received` the last bytes in each direction as text, where there were any.
    """

    def __init__(
        self,
        message: str,
        *,
        device: str,
        port: str | None = None,
        sent: str | None = None,
        received: str | None = None,
    ) -> None:
        at = f" on {port}" if port else ""
        detail = ""
        if sent is not None:
            detail += f" Sent: {sent!r}."
        if received is not None:
            detail += f" Received: {received!r}."
        super().__init__(f"{device}{at}: {message}{detail}")
        self.device = device
        self.port = port
        self.sent = sent
        self.received = received


class DeviceLost(DeviceError):
    """The instrument was there and is gone (unplugged, closed, or its reader died)."""


class SafetyError(BenchError):
    """The gate refused a stimulus, or the safe state was not reached."""


class RuleError(BenchError):
    """A rule pack cannot be used; `pack` and `rule` say which."""

    exit_code = 2

    def __init__(self, message: str, *, pack: str | None = None, rule: str | None = None) -> None:
        where = " ".join(part for part in (pack, f"rule {rule!r}" if rule else None) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.pack = pack
        self.rule = rule


class RecordingError(BenchError):
    """A recording cannot be written or read; `file` says which."""

    def __init__(self, message: str, *, file: str | None = None) -> None:
        super().__init__(f"{file}: {message}" if file else message)
        self.file = file


class CsmsError(BenchError):
    """The back end cannot listen, or a request to the station failed."""


class StationTimeout(CsmsError):
    """The station did not connect, or did not answer a request, in time."""


class TwinError(BenchError):
    """A process of the virtual bench did not start, or ended before it should."""
