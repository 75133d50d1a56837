"""Any other adapter, by the name that python-can gives its interface."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...errors import DeviceError
from .address import INTERFACES, CanAddress
from .trouble import socketcan_error
from .wall import Reading, on_bench_clock, read_clocks
from .wire import EXTENDED, WAKE_S, WRITE_TIMEOUT_S, Arrival, CanWire, Frame, Refused, Trouble, id_text

if TYPE_CHECKING:
    from can import BusABC, Message

__all__ = ["LibraryWire"]

MAX_BLOCK = 512
_NETWORKS = Path("/sys/class/net")
_ARPHRD_CAN = "280"


class LibraryWire(CanWire):
    """A bus opened by python-can.

    One `receive` takes all frames that wait, up to 512. Kernel stamps (SocketCAN) are used as far as they are
    consistent with the instants of reading; other adapters' stamps have epochs of their own and are not.

    Raises:
        DeviceError: no such adapter, or its library is not installed.
    """

    def __init__(self, device: str, address: CanAddress, *, bitrate: int) -> None:
        super().__init__()
        self._kernel = address.interface == "socketcan"
        if self._kernel:
            _require_network(device, address)
        self._bus = _open_bus(device, address, bitrate)
        # BusABC.recv counts its timeout on the wall clock, which may be set: the method below it does not
        self._take = cast("Any", self._bus)._recv_internal
        self._before = read_clocks()
        self.identity = {"adapter": address.interface, "interface": str(self._bus.channel_info)}

    def receive(self, timeout_s: float = WAKE_S) -> Arrival:
        messages, empty = self._drain(timeout_s)
        after, before = read_clocks(), self._before
        if empty is not None:
            self._before = empty
        arrival = Arrival(before.lo_ns, after.hi_ns, [], [], [], [], bool(messages))
        for message in messages:
            self._sort(message, before, after, arrival)
        return arrival

    def _drain(self, timeout_s: float) -> tuple[list[Message], Reading | None]:
        """What waits, and when nothing more did; None: more may wait."""
        from can.exceptions import CanError

        messages: list[Message] = []
        try:
            empty = read_clocks()
            message = self._take(timeout_s)[0]
            while message is not None:
                messages.append(message)
                if len(messages) >= MAX_BLOCK:
                    return messages, None
                empty = read_clocks()
                message = self._take(0.0)[0]
        except CanError as error:
            raise OSError(error.error_code or 0, str(error)) from error
        return messages, empty

    def _sort(self, message: Message, before: Reading, after: Reading, arrival: Arrival) -> None:
        if message.is_error_frame:
            identifier = message.arbitration_id
            known = socketcan_error(identifier, bytes(message.data)) if self._kernel else []
            arrival.troubles.extend(known or [Trouble("error-frame", "the adapter reports an error frame")])
            return
        if message.is_remote_frame:
            return
        key = message.arbitration_id | (EXTENDED if message.is_extended_id else 0)
        lo_ns, at_ns = arrival.lo_ns, arrival.at_ns
        if self._kernel:
            lo_ns, at_ns = on_bench_clock(round(message.timestamp * 1e9), before, after)
        if self.record:
            offset = f"@{(at_ns - arrival.lo_ns) // 1000}" if self._kernel else ""
            arrival.raw.append(f"{id_text(key)}#{message.data.hex()}{offset}")
        if key in self.watch:
            arrival.frames.append(Frame(key, bytes(message.data), lo_ns, at_ns))

    def send(self, key: int, data: bytes) -> None:
        from can import Message
        from can.exceptions import CanError, CanTimeoutError

        message = Message(arbitration_id=key & ~EXTENDED, is_extended_id=bool(key & EXTENDED), data=data)
        try:
            self._bus.send(message, WRITE_TIMEOUT_S)
        except CanTimeoutError as error:
            raise Refused(f"not sent within {WRITE_TIMEOUT_S:g} s: {error}") from error
        except CanError as error:
            if error.error_code in (errno.ENOBUFS, errno.EAGAIN):
                raise Refused(f"the transmit queue is full: {error}") from error
            raise OSError(error.error_code or 0, str(error)) from error

    def close(self) -> None:
        try:
            self._bus.shutdown()
        except Exception:  # noqa: BLE001 - vendors' libraries raise what they like when the adapter is gone
            pass


def _open_bus(device: str, address: CanAddress, bitrate: int) -> BusABC:
    import can
    from can.exceptions import CanError, CanInterfaceNotImplementedError

    options: dict[str, Any] = {} if address.interface in ("socketcan", "virtual") else {"bitrate": bitrate}
    if address.interface == "gs_usb":
        options["index"] = address.number
    try:
        return can.Bus(interface=address.interface, channel=cast("Any", address.number), **options)
    except (CanInterfaceNotImplementedError, ImportError) as error:
        raise DeviceError(
            f"python-can cannot use {address.interface} here: {error}. It needs {INTERFACES[address.interface]}.",
            device=device,
            port=address.port,
        ) from error
    except (CanError, OSError, ValueError, AttributeError, NameError) as error:
        raise DeviceError(
            f"cannot be opened: {error}. Is the adapter plugged in, and is this {INTERFACES[address.interface]}?",
            device=device,
            port=address.port,
        ) from error


def _require_network(device: str, address: CanAddress) -> None:
    """A missing interface, in words: the kernel's own are `No such device`."""
    if (_NETWORKS / address.channel).exists():
        return
    names = [entry.name for entry in sorted(_NETWORKS.glob("*")) if _kind_of(entry) == _ARPHRD_CAN]
    there = f"CAN interfaces that exist: {', '.join(names)}." if names else "This host has no CAN interface."
    raise DeviceError(
        f"there is no network interface {address.channel!r}. {there} Plug the adapter in, and bring it up: "
        f"`ip link set {address.channel} up type can bitrate 500000`.",
        device=device,
        port=address.port,
    )


def _kind_of(network: Path) -> str:
    try:
        return (network / "type").read_text().strip()
    except OSError:
        return ""
