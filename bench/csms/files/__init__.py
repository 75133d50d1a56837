"""The file exchange port of the back end: firmware to fetch, places for logs and diagnostics."""

from __future__ import annotations

from .desk import FileDesk
from .faults import FileFault
from .firmware import Firmware, FirmwareSigner
from .slots import Slot, Upload

__all__ = ["FileDesk", "FileFault", "Firmware", "FirmwareSigner", "Slot", "Upload"]
