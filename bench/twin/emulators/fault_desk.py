"""Takes the owner's fault lines: finds what shall break, breaks it, mends it in time, and says what was done.

A line is `{"type":"fault","id":1,"name":"cp-short","on":true,"evse":1,"device":null,"ohm":80,"for_s":2}`. The answer
is a line `fault` with the same id, `t_ns` (CLOCK_MONOTONIC) and all arguments, or `refused` with a `message`. A fault
that ends by itself is told by another `fault` with `on` false and no id. One that is to wait (`once`, `after_s`) is
answered by `waits`, and told by a `fault` without id when it begins. `{"type":"faults","id":2}` asks for the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..faults import COMMON, FAULTS, FaultError, complete, table
from ..model.defects import break_outlet
from ..model.plant import Plant
from .fault_start import FaultStarts, Start
from .kinds import Emulator
from .truth import TruthLog
from .wire_faults import WireFaults

__all__ = ["FaultDesk"]

_NO_ARGUMENTS = ("type", "id", "name", "on", "evse", "device")


class FaultDesk:
    """Knows every outlet, instrument and wire of the twin.

    Args:
        outlets: by number, those of the station under test.
        devices: name -> outlet and emulator.
        wires: name of a device -> what can be wrong with its wire.
        say: tells the owner.
    """

    def __init__(
        self,
        outlets: Mapping[int, Plant],
        devices: Mapping[str, tuple[int, Emulator]],
        wires: Mapping[str, WireFaults],
        truth: TruthLog,
        say: Callable[..., None],
    ) -> None:
        self._outlets = outlets
        self._devices = devices
        self._wires = wires
        self._truth = truth
        self._say = say
        self._ends: dict[tuple[str, int | None, str | None], tuple[int, dict[str, Any]]] = {}
        self._starts = FaultStarts()

    def take(self, message: dict[str, Any], now_ns: int) -> None:
        """A line of type `fault` or `faults`."""
        number = message.get("id")
        if message["type"] == "faults":
            self._say("faults", id=number, faults=table())
            return
        try:
            name, on, evse, device = _addressed(message)
            args = {key: value for key, value in message.items() if key not in _NO_ARGUMENTS and value is not None}
            if on and self._waits(name, evse, device, args):
                self._say("waits", id=number, name=name, evse=evse, device=device, args=args)
                return
            self._starts.drop((name, evse, device))
            done = self._do(name, on, evse, device, args, now_ns)
        except FaultError as error:
            self._say("refused", id=number, name=message.get("name"), message=str(error))
            return
        self._say("fault", id=number, name=name, on=on, t_ns=now_ns, **done)

    def step(self, now_ns: int) -> None:
        """Begin what was to wait, and end what was to last for a time."""
        for (name, evse, device), args in self._starts.due(now_ns):
            try:
                done = self._do(name, True, evse, device, args, now_ns)
            except FaultError as error:
                self._say("note", text=f"a fault that was to wait did not begin: {error}")
                continue
            self._say("fault", id=None, name=name, on=True, t_ns=now_ns, **done)
        for key, (until_ns, args) in list(self._ends.items()):
            if now_ns >= until_ns:
                name, evse, device = key
                done = self._do(name, False, evse, device, args, now_ns)
                self._say("fault", id=None, name=name, on=False, t_ns=now_ns, **done)

    def _waits(self, name: str, evse: int | None, device: str | None, args: Mapping[str, Any]) -> bool:
        """True when the fault is to begin later, and waits now."""
        whole = complete(name, args)
        once, after_s = str(whole["once"]), float(whole["after_s"])
        if once == "now" and after_s == 0.0:
            return False
        self._known(name, device)
        number = evse if device is None else self._devices[device][0]
        self._starts.add((name, evse, device), Start(self._at(name, number), once, int(after_s * 1e9), args))
        return True

    def _at(self, name: str, evse: int | None) -> Plant:
        """An outlet by its number; None = the first."""
        plant = self._outlets.get(min(self._outlets) if evse is None else evse)
        if plant is None:
            raise FaultError(f"{name}: there is no evse {evse}; there is {_list(self._outlets)}")
        return plant

    def _do(
        self, name: str, on: bool, evse: int | None, device: str | None, args: Mapping[str, Any], now_ns: int
    ) -> dict[str, Any]:
        """What was done where, as the owner is told."""
        whole = complete(name, args)
        args = {key: value for key, value in whole.items() if key not in COMMON}
        for_s = float(whole["for_s"])
        act = {"outlet": self._outlet, "device": self._device, "wire": self._wire}[FAULTS[name].of]
        done = act(name, on, evse, device, args, now_ns)
        self._ends.pop((name, evse, device), None)
        if on and for_s > 0.0:
            self._ends[name, evse, device] = now_ns + int(for_s * 1e9), args
        return done

    def _outlet(
        self, name: str, on: bool, evse: int | None, device: str | None, args: dict[str, Any], now_ns: int
    ) -> dict[str, Any]:
        if device is not None:
            raise FaultError(f"{name} happens at an outlet, not at device {device!r}; leave the device out")
        break_outlet(self._at(name, evse), name, on, args, now_ns)
        return {"evse": min(self._outlets) if evse is None else evse, "device": None, "args": args}

    def _device(
        self, name: str, on: bool, evse: int | None, device: str | None, args: dict[str, Any], now_ns: int
    ) -> dict[str, Any]:
        self._known(name, device)
        hit: list[str] = []
        for key, (of, emulator) in self._devices.items():
            if device in (None, key) and evse in (None, of):
                try:
                    if emulator.fault(name, on=on, now_ns=now_ns, args=args):
                        hit.append(key)
                except (ValueError, TypeError, KeyError) as error:
                    raise FaultError(f"{name}: {key} cannot do that with {args}: {error!r}") from error
        if not hit:
            nobody = "no device here has such a fault" if device is None else f"{device} has no such fault"
            raise FaultError(f"{name}: {nobody}")
        self._truth.command(",".join(hit), now_ns, "fault", name=name, on=on, args=args)
        return {"evse": self._devices[hit[0]][0], "device": hit[0] if len(hit) == 1 else hit, "args": args}

    def _wire(
        self, name: str, on: bool, evse: int | None, device: str | None, args: dict[str, Any], now_ns: int
    ) -> dict[str, Any]:
        self._known(name, device)
        wires = {
            key: wire
            for key, wire in self._wires.items()
            if wire.can(name) and device in (None, key) and evse in (None, self._devices[key][0])
        }
        if not wires:
            raise FaultError(f"{name}: {device or 'no device here'} has no wire that the twin can spoil so")
        if device is None and len(wires) > 1:
            raise FaultError(f"{name}: say on which device's wire: {_list(wires)}")
        for key, wire in wires.items():
            wire.set(name, on=on, args=args)
            self._truth.command(key, now_ns, "fault", name=name, on=on, args=args)
        return {"evse": evse, "device": next(iter(wires)), "args": args}

    def _known(self, name: str, device: str | None) -> None:
        if device is not None and device not in self._devices:
            raise FaultError(f"{name}: there is no device {device!r}; there is {_list(self._devices)}")


def _addressed(message: dict[str, Any]) -> tuple[str, bool, int | None, str | None]:
    """Name, on, evse and device of a line, all of the right type."""
    name, on, evse, device = (message.get(key, default) for key, default in _ADDRESS)
    if not isinstance(name, str) or not isinstance(on, bool):
        raise FaultError("a fault has a name, and on is true or false")
    if evse is not None and (isinstance(evse, bool) or not isinstance(evse, int)):
        raise FaultError(f"{name}: evse = {evse!r} must be a number")
    if device is not None and not isinstance(device, str):
        raise FaultError(f"{name}: device = {device!r} must be the name of one")
    return name, on, evse, device


_ADDRESS: tuple[tuple[str, Any], ...] = (("name", None), ("on", True), ("evse", None), ("device", None))


def _list(things: Mapping[Any, object]) -> str:
    return ", ".join(str(key) for key in things) or "none"
