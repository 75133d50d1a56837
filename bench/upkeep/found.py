"""The ports of this machine: serial ports and CAN interfaces, and the bench-file lines that would name them.

Looking writes nothing to any of them: what stands behind a port is guessed from its USB names only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec

from ...drivers.ports import holder_of

__all__ = ["Found", "find_can", "find_serial"]

BY_ID = Path("/dev/serial/by-id")
NETWORK = Path("/sys/class/net")
USB_SERIAL = Path("/sys/bus/usb-serial/devices")
ARPHRD_CAN = "280"
GOOD_LATENCY_MS = 1

LIKELY: tuple[tuple[str, str], ...] = (
    ("canable", "ev.dbc"),
    ("slcan", "ev.dbc"),
    ("can adapter", "ev.dbc"),
    ("lawicel", "ev.dbc"),
    ("openevse", "evse.rapi"),
    ("rs485", "meter.modbus"),
    ("rs-485", "meter.modbus"),
    ("modbus", "meter.modbus"),
    ("ch340", "power.relay"),
    ("pilotbench", "pilot.line"),
)
"""A word of the USB names -> the driver that is most often behind it."""

LINES: dict[str, tuple[str, ...]] = {
    "pilot.line": ('watchdog = "2 s"',),
    "meter.modbus": ('map = "eastron-sdm630"', "unit = 1"),
    "ev.dbc": ('dbc = "pilotbench-ev"', 'max_current = "32 A"'),
}


class Found(msgspec.Struct, frozen=True):
    """One port.

    - `port`: what a bench file should name: a link that stays the same when the device is plugged in again.
    - `names`: maker, product and serial number, as the device says them.
    - `driver`: the likely one; empty when nothing speaks for any.
    - `remarks`: what a person should know or mend.
    """

    port: str
    device: str
    names: str = ""
    driver: str = ""
    remarks: tuple[str, ...] = ()

    def lines(self, name: str) -> list[str]:
        """The table for a bench file."""
        driver = self.driver or "pilot.line"
        guess = "" if self.driver else "     # a guess: see `pilotbench drivers`"
        return [
            f"[device.{name}]",
            f'driver = "{driver}"{guess}',
            f'port = "{self.port}"',
            *LINES.get(driver, ()),
        ]


def find_serial() -> list[Found]:
    """Every serial port that a device is behind, by its lasting link where it has one."""
    from serial.tools.list_ports import comports

    links = _links(BY_ID)
    found: list[Found] = []
    for info in sorted(cast("list[Any]", comports()), key=lambda port: str(port.device)):
        device = str(info.device)
        usb = info.vid is not None
        if not usb and str(info.hwid) == "n/a":
            continue  # the four ports that a PC's chip set claims to have
        words = [str(word) for word in (info.manufacturer, info.product, info.serial_number) if word]
        port = links.get(str(Path(device).resolve()), device)
        found.append(Found(port, device, " ".join(words), _likely(words), tuple(_remarks(device, port, usb=usb))))
    return found


def find_can() -> list[Found]:
    """The CAN interfaces of the kernel."""
    found: list[Found] = []
    for entry in sorted(NETWORK.iterdir()) if NETWORK.is_dir() else []:
        if _read(entry / "type") != ARPHRD_CAN:
            continue
        state = _read(entry / "operstate")
        remarks = (
            []
            if state in ("up", "unknown")
            else [f"is {state}: sudo ip link set {entry.name} up type can bitrate 500000"]
        )
        found.append(Found(f"socketcan:{entry.name}", entry.name, "SocketCAN", "ev.dbc", tuple(remarks)))
    return found


def _links(folder: Path) -> dict[str, str]:
    """Real path -> link."""
    return {str(link.resolve()): str(link) for link in sorted(folder.iterdir())} if folder.is_dir() else {}


def _likely(words: list[str]) -> str:
    text = " ".join(words).casefold()
    return next((driver for word, driver in LIKELY if word in text), "")


def _remarks(device: str, port: str, *, usb: bool) -> list[str]:
    remarks: list[str] = []
    holder = holder_of(device)
    if holder is not None and Path(f"/proc/{holder.pid}").exists():
        remarks.append(f"in use by {holder}")
    if usb and port == device:
        remarks.append("has no lasting name: another one may come up under this path after it is plugged in again")
    latency = _read(USB_SERIAL / Path(device).name / "latency_timer")
    if latency.isdigit() and int(latency) > GOOD_LATENCY_MS:
        remarks.append(
            f"its USB chip holds bytes back for {latency} ms: echo 1 | sudo tee {USB_SERIAL}/{Path(device).name}/"
            "latency_timer"
        )
    return remarks


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
