"""What `pilotbench csms` prints: one line an event, for people who watch a station."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ..timeline import Event

__all__ = ["line_of"]

MOST = 150
_ARROW = {"rx": "◀", "tx": "▶"}

Data = Mapping[str, Any]


def line_of(event: Event, wall_minus_bench_ns: int) -> str | None:
    """The line of an event; None for what nobody wants to read. `wall_minus_bench_ns` turns stamps into local time."""
    tell = _TOLD.get(event.topic)
    if tell is None:
        return None
    text = tell(event.data)
    if text is None:
        return None
    at = datetime.fromtimestamp((event.stamp.order_ns + wall_minus_bench_ns) / 1e9)
    line = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}  {event.data.get('station') or '-':12}  {text}"
    line = "".join(char if char.isprintable() else " " for char in line)
    return line if len(line) <= MOST else line[: MOST - 1] + "…"


def _payload(data: Data) -> str:
    return msgspec.json.encode(data.get("payload")).decode()


def _call(data: Data) -> str:
    kind = " (not to be answered)" if data.get("send") else ""
    return f"{_ARROW[data['dir']]} {data['action']}{kind} {_payload(data)}"


def _result(data: Data) -> str:
    by = f" [{data['by']}]" if data.get("by") in ("default", "script") else ""
    return f"{_ARROW[data['dir']]} {data['action']} answered{by} {_payload(data)}"


def _frame(data: Data) -> str | None:
    if data.get("kind") == "close":
        return f"{_ARROW[data['dir']]} close {data.get('code')} {data.get('reason') or ''}"
    return f"{_ARROW[data['dir']]} {data['kind']}" if data.get("kind") in ("ping", "binary") else None


def _certificate(data: Data) -> str:
    why = f": {data['why']}" if data.get("why") else ""
    return f"CERTIFICATE {data.get('verb')} {data.get('type') or ''} {data.get('subject') or ''}{why}"


def _file(data: Data) -> str:
    ok = "" if data.get("ok") else f" FAILED: {data.get('why')}"
    return f"FILE {data.get('dir')} {data.get('path')} {data.get('status')} {data.get('bytes')} bytes{ok}"


def _connected(data: Data) -> str:
    tls = f", {data['tls']}" if data.get("tls") else ""
    shown = f", certificate {data['subject']}" if data.get("subject") else ""
    how = f"security profile {data.get('profile')}, auth {data.get('auth')}{tls}{shown}"
    return f"CONNECTED OCPP {data['version']} from {data['remote']}, {how}"


_TOLD: dict[str, Callable[[Data], str | None]] = {
    "csms.certificate": _certificate,
    "csms.file": _file,
    "csms.misbehaviour": lambda data: f"ON PURPOSE {data.get('what')} {data.get('action') or ''}",
    "device.state": lambda data: f"{data['device']} {data['state']}: {data.get('why')}",
    "gap": lambda data: f"GAP {data.get('why')}",
    "ocpp.attached": lambda data: f"served without a boot: {data.get('how')}",
    "ocpp.call": _call,
    "ocpp.connected": _connected,
    "ocpp.disconnected": lambda data: f"GONE {data.get('reason')}",
    "ocpp.error": lambda data: f"{_ARROW[data['dir']]} error {data.get('code')}: {data.get('description')}",
    "ocpp.frame": _frame,
    "ocpp.monitor": lambda data: f"MONITOR {data.get('monitor')} {data.get('name')} {data.get('kind') or ''}".rstrip(),
    "ocpp.refused": lambda data: f"REFUSED {data.get('remote')}: {data.get('reason')}",
    "ocpp.result": _result,
    "ocpp.violation": lambda data: f"VIOLATION {data.get('layer')} {data.get('code')}: {data.get('text')}",
}
