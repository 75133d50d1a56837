"""The frames of an EV simulator: encoded and decoded with a DBC file and a mapping of its signals to roles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...bench.timeline import did_you_mean
from .checksums import CHECKSUMS
from .signals import RECEIVE, SEND, Role, SignalFile, SignalSpec, range_of
from .wire import EXTENDED

if TYPE_CHECKING:
    from cantools.database.can import Message

__all__ = ["DEFAULT_RECEIVE", "DEFAULT_SEND", "Dialect", "Received", "Sent"]

DEFAULT_SEND: Mapping[str, SignalSpec] = {
    "plugged": "EV_Command.Plugged",
    "s2_closed": "EV_Command.S2Closed",
    "charge": "EV_Command.ChargeEnable",
    "max_current_a": "EV_Command.MaxCurrent",
    "counter": "EV_Command.Counter",
}
DEFAULT_RECEIVE: Mapping[str, SignalSpec] = {
    "plugged": "EV_Status.Plugged",
    "s2_wish": "EV_Status.S2Wish",
    "soc_pct": "EV_Status.SoC",
    "current_a": "EV_Status.Current",
    "battery_v": "EV_Status.BatteryVoltage",
    "counter": "EV_Status.Counter",
}
"""The mapping for the shipped `pilotbench-ev.dbc`, which stands where a bench file gives none."""

CYCLE_S = 0.1
TIMEOUT_S = 0.5
TIMEOUT_CYCLES = 3

Mapped = Mapping[str, SignalSpec | Sequence[SignalSpec]]


class _Told:
    """One message with the roles in it."""

    def __init__(self, message: Message, cycle_s: float) -> None:
        self.message = message
        self.name = message.name
        self.key = int(message.frame_id) | (EXTENDED if message.is_extended_frame else 0)
        self.cycle_s = cycle_s
        self.roles: dict[str, Role] = {}
        self.counter: Role | None = None
        self.checksum: Role | None = None

    @property
    def turn(self) -> int:
        """How many values the counter has; 1 without one."""
        if self.counter is None:
            return 1
        signal = self.counter.signal
        whole = 1 << signal.length
        most = signal.maximum
        return whole if most is None or not 0 < most < whole else int(most) + 1

    def check(self, data: bytes) -> int:
        """The checksum that belongs into `data`, and in which byte it stands is left out."""
        assert self.checksum is not None
        at = self.checksum.signal.start // 8
        return CHECKSUMS[self.checksum.kind](data[:at] + data[at + 1 :])


class Sent(_Told):
    """A message that is sent every `cycle_s`; what has no role keeps the value of `fixed`, its start value, or 0."""

    def __init__(self, message: Message, cycle_s: float) -> None:
        super().__init__(message, cycle_s)
        self.fixed: dict[str, float] = {}

    def encode(self, wanted: Mapping[str, float | bool], count: int) -> bytes:
        """The frame that says `wanted` (role -> value); `count` is how many went before."""
        values = {signal.name: self._rest(signal.name) for signal in self.message.signals}
        for name, role in self.roles.items():
            values[role.signal.name] = _outward(role, name, wanted[name])
        if self.counter is not None:
            values[self.counter.signal.name] = count % self.turn
        if self.checksum is not None:
            values[self.checksum.signal.name] = 0
        data = bytearray(self.message.encode(cast(Any, values), strict=False))
        if self.checksum is not None:
            data[self.checksum.signal.start // 8] = self.check(bytes(data))
        return bytes(data)

    def _rest(self, name: str) -> float:
        signal = self.message.get_signal_by_name(name)
        if name in self.fixed:
            return self.fixed[name]
        if signal.initial is not None and not isinstance(signal.initial, str):
            return float(cast(Any, signal.initial))
        return float(signal.offset)


class Received(_Told):
    """A message that must come at least every `timeout_s`."""

    def __init__(self, message: Message, cycle_s: float, timeout_s: float) -> None:
        super().__init__(message, cycle_s)
        self.timeout_s = max(timeout_s, TIMEOUT_CYCLES * cycle_s)

    def decode(self, data: bytes) -> dict[str, float | bool | None]:
        """Role -> value. A switch that shows neither of its two values (error, not available) is None.

        Raises:
            ValueError: the frame is too short, or its checksum is wrong.
        """
        from cantools.database import DecodeError

        try:
            values = cast(Mapping[str, float], self.message.decode(data, decode_choices=False, allow_truncated=False))
        except (DecodeError, ValueError) as error:
            raise ValueError(f"{self.name} cannot be decoded: {error}") from error
        if self.checksum is not None and values[self.checksum.signal.name] != self.check(data):
            raise ValueError(f"{self.name} has a wrong checksum: {data.hex().upper()}")
        found: dict[str, float | bool | None] = {}
        for name, role in self.roles.items():
            found[name] = _inward(role, RECEIVE[name], float(values[role.signal.name]))
        if self.counter is not None:
            found["counter"] = int(values[self.counter.signal.name])
        return found


class Dialect:
    """Every message that is spoken and heard.

    `send` and `receive` map roles to signals (see `signals.SignalSpec`); without either, the shipped
    `pilotbench-ev.dbc` is expected. `fixed` gives other signals of sent messages a value.

    Raises:
        ConfigError: no such file, no DBC, an unknown role, message, signal, unit or value, or a role that is missing.
    """

    def __init__(
        self,
        dbc: Path,
        send: Mapped | None = None,
        receive: Mapped | None = None,
        fixed: Mapping[str, float | str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not send and not receive:
            send, receive = DEFAULT_SEND, DEFAULT_RECEIVE
        self._file = SignalFile(dbc)
        self._sent: dict[str, Sent] = {}
        self._received: dict[str, Received] = {}
        self._timeout_s = timeout_s
        self._map(send or {}, SEND, "send", self._sending)
        self._map(receive or {}, RECEIVE, "receive", self._receiving)
        for name, value in (fixed or {}).items():
            self._fix(name, value)
        self.sent: list[Sent] = list(self._sent.values())
        self.received: dict[int, Received] = {told.key: told for told in self._received.values()}
        told = {role for message in self.sent for role in message.roles}
        if not told & {"charge", "max_current_a"}:
            raise self._file.error(
                "nothing can be asked of this EV simulator: map `charge` or `max_current_a` to a signal it receives."
            )
        if not self.received:
            raise self._file.error("nothing is received of this EV simulator: map a signal of its status message.")
        self.has_wish = any("s2_wish" in message.roles for message in self.received.values())
        self.highest_current_a = self._highest()

    def _sending(self, message: Message) -> Sent:
        return self._sent.setdefault(message.name, Sent(message, _cycle(message)))

    def _receiving(self, message: Message) -> Received:
        return self._received.setdefault(message.name, Received(message, _cycle(message, 0.0), self._timeout_s))

    def _map(self, mapped: Mapped, known: Mapping[str, str], way: str, place: Any) -> None:
        file = self._file
        for role, specs in mapped.items():
            whole = f"{way}.{role}"
            if role not in (*known, "counter", "checksum"):
                names = (*known, "counter", "checksum")
                raise file.error(f"unknown role {whole!r}{did_you_mean(role, names)}. Known: {', '.join(names)}.")
            if role in known:
                if not isinstance(specs, (str, Mapping)):
                    raise file.error(f"role {whole!r} is one signal, not {specs!r}.")
                message, found = file.role(whole, known[role], specs)
                place(message).roles[role] = found
                continue
            several = [specs] if isinstance(specs, (str, Mapping)) else list(specs)
            for spec in several:
                look_up = file.counter if role == "counter" else file.checksum
                message, found = look_up(whole, spec)
                setattr(place(message), role, found)

    def _fix(self, name: str, value: float | str) -> None:
        message, signal = self._file.find(f"fixed.{name}", name)
        sent = self._sent.get(message.name)
        if sent is None:
            raise self._file.error(f"fixed.{name}: no role is sent in {message.name!r}, so it is not sent at all.")
        sent.fixed[signal.name] = self._file.value(f"fixed.{name}", signal, value)

    def _highest(self) -> float:
        for message in self.sent:
            role = message.roles.get("max_current_a")
            if role is not None:
                least, most = range_of(role.signal)
                if not least <= 0.0 <= most or role.signal.scale <= 0:
                    raise self._file.error(
                        f"role 'send.max_current_a': {role.signal.name!r} holds {least:g}..{most:g}; it cannot say "
                        "0 A, and that is the safe state."
                    )
                return most * role.factor
        return float("inf")


def _cycle(message: Message, default: float = CYCLE_S) -> float:
    """The cycle time of a message in seconds (`GenMsgCycleTime`)."""
    return message.cycle_time / 1000.0 if message.cycle_time else default


def _outward(role: Role, name: str, value: float | bool) -> float:
    if not SEND[name]:
        return role.on if value else role.off
    # downwards to what the signal can say: never ask for more than was permitted
    signal = role.signal
    steps = math.floor((value / role.factor - signal.offset) / signal.scale + 1e-6)
    return value / role.factor if signal.is_float else steps * signal.scale + signal.offset


def _inward(role: Role, unit: str, value: float) -> float | bool | None:
    if unit:
        return value * role.factor
    return True if value == role.on else False if value == role.off else None
