"""Progress of firmware, diagnostics and logs in OCPP 1.6 (sections 4.4, 4.5; L01 and N01 of the whitepaper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.courses import DIAGNOSTICS_16, FIRMWARE, FIRMWARE_16, LOG
from ..files.status import FileStatus, Subject

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["FileStatus16"]

_NOT_BUSY = frozenset({"Installed", "InstallationFailed", "DownloadFailed"})

SUBJECTS = (
    Subject("FirmwareStatusNotification", "UpdateFirmware", FIRMWARE_16, _NOT_BUSY, "section 4.5"),
    Subject(
        "SignedFirmwareStatusNotification",
        "SignedUpdateFirmware",
        FIRMWARE,
        frozenset({"Installed"}),
        "whitepaper L01.FR.29",
        numbered=True,
        needs_number="whitepaper L01.FR.21",
    ),
    Subject(
        "DiagnosticsStatusNotification",
        "GetDiagnostics",
        DIAGNOSTICS_16,
        frozenset({"Uploaded", "UploadFailed"}),
        "section 4.4",
        kind="diagnostics",
    ),
    Subject(
        "LogStatusNotification",
        "GetLog",
        LOG,
        frozenset(LOG) - {"Uploading"},
        "whitepaper N01",
        kind="log",
        numbered=True,
        needs_number="whitepaper N01.FR.12",
    ),
)


class FileStatus16(FileStatus):
    """See `FileStatus`."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk, SUBJECTS)
