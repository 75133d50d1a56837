"""Progress of firmware and logs in OCPP 2.x (L01, L02, L03, N01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.courses import FIRMWARE, LOG, PUBLISHING
from ..files.status import FileStatus, Subject

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["FileStatus2x"]

SUBJECTS = (
    Subject(
        "FirmwareStatusNotification",
        "UpdateFirmware",
        FIRMWARE,
        frozenset({"Installed"}),
        "L01.FR.26",
        numbered=True,
        needs_number="L01.FR.20",
    ),
    Subject(
        "PublishFirmwareStatusNotification",
        "PublishFirmware",
        PUBLISHING,
        frozenset({"Published"}),
        "L03.FR.11",
        numbered=True,
    ),
    Subject(
        "LogStatusNotification",
        "GetLog",
        LOG,
        frozenset(LOG) - {"Uploading"},
        "N01.FR.13",
        kind="log",
        numbered=True,
        needs_number="N01.FR.13",
    ),
)


class FileStatus2x(FileStatus):
    """See `FileStatus`."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk, SUBJECTS)
