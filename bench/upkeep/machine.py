"""The machine under the bench: what it may do wrong to every measurement."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..owner import state_dir
from .findings import Finding

__all__ = ["look_at_machine"]

CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies")
FREE_BYTES = 1 << 30
PER_CORE = 1.0


def look_at_machine() -> list[Finding]:
    """Its clock, its load, and the room for recordings."""
    found: list[Finding] = []
    try:
        source = CLOCK_SOURCE.read_text(encoding="ascii").strip()
    except OSError:
        source = ""
    if source in SLOW_CLOCKS:
        fix = "each stamp costs more than a microsecond: choose tsc in the firmware or the kernel's command line"
        found.append(Finding("machine", "clock", "warn", f"the kernel's clock is {source}", fix))
    elif source:
        found.append(Finding("machine", "clock", "ok", f"the kernel's clock is {source}"))
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    busy = load > cores * PER_CORE
    fix = "end what else runs: a busy machine stamps later, and its intervals widen" if busy else ""
    found.append(Finding("machine", "load", "warn" if busy else "ok", f"{load:.1f} on {cores} cores", fix))
    folder = state_dir()
    free = shutil.disk_usage(folder).free
    few = free < FREE_BYTES
    detail = f"{free / 1e9:.1f} GB free for recordings and state ({folder})"
    found.append(Finding("machine", "disk", "warn" if few else "ok", detail, "make room" if few else ""))
    return found
