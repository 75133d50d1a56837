"""One owner per port: lock files that name the holder, and clear words about missing ports."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import msgspec

from ..errors import DeviceError
from .emergency import Wire

__all__ = [
    "Holder",
    "PortLock",
    "default_state_dir",
    "holder_of",
    "host_of",
    "is_address",
    "port_exists",
    "require_port",
    "wire_of",
]


_CAN_BUS = re.compile(r"(socketcan|socketcand|pcan|kvaser|gs_usb|vector|ixxat|virtual):")

Reach = Literal["local", "remote", "none"]


class Holder(msgspec.Struct, frozen=True):
    """Who holds a port; `since` is UTC in ISO 8601."""

    program: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"{self.program} (pid {self.pid}, since {self.since})"


def default_state_dir() -> Path:
    """`PILOTBENCH_STATE_DIR`, else `$XDG_STATE_HOME/pilotbench`, else `~/.local/state/pilotbench`."""
    named = os.environ.get("PILOTBENCH_STATE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "pilotbench"


def is_address(port: str) -> bool:
    """True for `socket://host:port`, `tcp://host:port` and a CAN bus such as `socketcan:can0`, False for a path."""
    return "://" in port or _CAN_BUS.match(port) is not None


def host_of(port: str) -> str:
    """The host that a port names, also when it is this machine; empty for a path and for a bus without a host."""
    if "://" in port:
        return urlsplit(port).hostname or ""
    if port.startswith("socketcand:"):
        return port.removeprefix("socketcand:").partition(":")[0]
    return ""


def wire_of(port: str, baud: int, *, parity: str = "N", stopbits: float = 1) -> tuple[Wire, Reach, str]:
    """How whoever has no driver reaches a serial port: the wire, whether it is on this machine, and why not."""
    if port.startswith(("socket://", "tcp://")):
        address = port.partition("://")[2]
        kind = "tcp"
    else:
        # A link of udev or of the twin may lead elsewhere when the device was plugged in again: it is kept as it is.
        address, kind = port, "serial"
    wire = Wire(kind, address, baud=baud, parity=parity, stopbits=stopbits)
    host = host_of(port)
    if not host or host == "localhost" or host.startswith("127.") or host == "::1":
        return wire, "local", ""
    return wire, "remote", f"{host} is another machine: when it or the way to it is gone, nobody reaches the device"


def port_exists(port: str) -> bool:
    """True for a path that leads somewhere, and for every address: only opening it tells."""
    return is_address(port) or os.path.exists(port)


def require_port(device: str, port: str) -> None:
    """Check that a port exists before anybody tries to open it.

    Raises:
        DeviceError: it does not; lists the ports that do.
    """
    if port_exists(port):
        return
    raise DeviceError(f"there is no such port. {_ports_there_are(port)}", device=device, port=port)


def _ports_there_are(port: str) -> str:
    from serial.tools.list_ports import comports

    found = sorted(str(cast(Any, info).device) for info in comports())
    folder = Path(port).parent
    if folder.is_dir() and folder != Path("/dev"):
        found += sorted(str(entry) for entry in folder.iterdir() if entry.is_char_device())
    if not found:
        return "No serial port exists on this machine: plug the device in, or correct `port` in the bench file."
    return f"Ports that exist: {', '.join(found)}. Plug the device in, or correct `port` in the bench file."


def _lock_path(port: str, state_dir: Path | None) -> Path:
    real = port if is_address(port) else os.path.realpath(port)
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", real).strip("-")[-60:]
    digest = hashlib.sha256(real.encode()).hexdigest()[:8]
    return (state_dir or default_state_dir()) / "ports" / f"{slug}-{digest}.lock"


def _read_holder(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def holder_of(port: str, state_dir: Path | None = None) -> Holder | None:
    """Who the lock file of `port` names, whether it still lives or not; None without a file."""
    return _read_holder(_lock_path(port, state_dir))


class PortLock:
    """The exclusive right to one port, for as long as this process lives and does not release it.

    The kernel lets go of it when the process dies, so no lock file is ever stale.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self._fd: int | None = fd
        self.path = path

    @classmethod
    def take(cls, device: str, port: str, state_dir: Path | None = None) -> PortLock:
        """Take the right to `port`, keyed by its real path.

        Raises:
            DeviceError: somebody has it; names program, process id and since when.
        """
        path = _lock_path(port, state_dir)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DeviceError(
                f"cannot make the lock file {path}: {error.strerror}. Set PILOTBENCH_STATE_DIR to a folder that "
                "can be written.",
                device=device,
                port=port,
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise DeviceError(f"cannot lock {path}: {error.strerror}.", device=device, port=port) from error
            raise DeviceError(
                f"the port is in use by {_read_holder(path) or 'another program'}. "
                "End that program, or wait until it is done.",
                device=device,
                port=port,
            ) from error
        now = datetime.now(UTC).isoformat(timespec="seconds")
        mine = {"program": _program(), "pid": os.getpid(), "since": now}
        os.ftruncate(fd, 0)
        os.write(fd, json.dumps(mine).encode())
        return cls(fd, path)

    def release(self) -> None:
        """Give the port back; may be called again."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def _program() -> str:
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    if main is not None and main.name:
        return str(main.name).removesuffix(".__main__")
    return Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
