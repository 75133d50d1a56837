"""In which order a station can tell how far an update or an upload is.

Each table names, for a status, those that can follow it in the same update; the empty text is its beginning.
A repeated status is no step. The tables leave out nothing that a station may leave out: what may be missing
(`Installing` where the bootloader cannot speak, L01.FR.23; `SignatureVerified`, which no step of L01 names) can be
passed over, what may not (`Downloading`, L01.FR.01; `Uploading`, N01.FR.08) cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["DIAGNOSTICS_16", "FIRMWARE", "FIRMWARE_16", "IDLE", "LOG", "PUBLISHING", "Course", "Progress"]

IDLE = "Idle"
"""Said only when the back end asks how far it is."""

Course = Mapping[str, frozenset[str]]


def _course(**lines: str) -> Course:
    table = {"" if name == "begin" else name: frozenset(words.split()) for name, words in lines.items()}
    return table | {word: frozenset[str]() for words in table.values() for word in words if word not in table}


FIRMWARE_16 = _course(
    begin="Downloading DownloadFailed",
    Downloading="Downloaded DownloadFailed",
    # 1.6 section 6.55: it is tried again as often as the request says.
    DownloadFailed="Downloading",
    Downloaded="Installing Installed InstallationFailed",
    Installing="Installed InstallationFailed",
)
"""FirmwareStatusNotification of 1.6 (sections 4.5 and 7.25)."""

_VERIFIED = "InstallScheduled InstallRebooting Installing Installed InstallationFailed InstallVerificationFailed"

FIRMWARE = _course(
    begin="DownloadScheduled Downloading DownloadFailed",
    DownloadScheduled="Downloading DownloadPaused DownloadFailed",
    Downloading="DownloadScheduled DownloadPaused Downloaded DownloadFailed",
    DownloadPaused="DownloadScheduled Downloading DownloadFailed",
    Downloaded=f"SignatureVerified InvalidSignature {_VERIFIED}",
    SignatureVerified=_VERIFIED,
    InstallScheduled=_VERIFIED,
    # Before the installation, and after it before it becomes active (L01.FR.15, L01.FR.32).
    InstallRebooting="Installing Installed InstallationFailed InstallVerificationFailed",
    Installing="InstallRebooting Installed InstallationFailed InstallVerificationFailed",
)
"""FirmwareStatusNotification of 2.x, SignedFirmwareStatusNotification of the 1.6 whitepaper (L01, L02)."""

PUBLISHING = _course(
    begin="DownloadScheduled Downloading DownloadFailed",
    DownloadScheduled="Downloading DownloadPaused DownloadFailed",
    Downloading="DownloadScheduled DownloadPaused Downloaded DownloadFailed",
    DownloadPaused="DownloadScheduled Downloading DownloadFailed",
    Downloaded="ChecksumVerified InvalidChecksum Published PublishFailed",
    ChecksumVerified="Published PublishFailed",
)
"""PublishFirmwareStatusNotification of 2.x (L03)."""

DIAGNOSTICS_16 = _course(
    begin="Uploading UploadFailed",
    Uploading="Uploaded UploadFailed",
    UploadFailed="Uploading",
)
"""DiagnosticsStatusNotification of 1.6 (sections 4.4 and 7.24)."""

_FAILED = "UploadFailure BadMessage PermissionDenied NotSupportedOperation"
_AGAIN = f"Uploading AcceptedCanceled {_FAILED}"

LOG = _course(
    begin=_AGAIN,
    Uploading=f"Uploaded AcceptedCanceled {_FAILED}",
    # That a failure is told after the last attempt only is recommended, not demanded (N01.FR.10).
    UploadFailure=_AGAIN,
    BadMessage=_AGAIN,
    PermissionDenied=_AGAIN,
    NotSupportedOperation=_AGAIN,
    # N01.FR.20 does not say whether the number is that of the upload that ends or of the one that begins.
    AcceptedCanceled=_AGAIN,
)
"""LogStatusNotification (N01)."""


class Progress:
    """How far one update or upload is. `last`: the last status told; "" at its beginning, None: not known."""

    __slots__ = ("_course", "_gap", "last")

    def __init__(self, course: Course, last: str | None = "") -> None:
        self.last = last
        self._course = course
        self._gap = False

    @property
    def under_way(self) -> bool:
        """Whether something was told, and more must follow."""
        return bool(self.last) and bool(self._course.get(self.last))

    def gap(self) -> None:
        """The station was away: the next status may have some between it and the last."""
        self._gap = True

    def take(self, status: str) -> str | None:
        """The station tells a status; returns why it cannot follow the last one, if it cannot."""
        last, self.last = self.last, status
        gap, self._gap = self._gap, False
        if last is None or status == last:
            return None
        follows = self._course.get(last, frozenset[str]())
        if status in follows or (gap and status in self._beyond(follows)):
            return None
        return f"{status} cannot follow {last or 'the request'}"

    def _beyond(self, begin: Iterable[str]) -> set[str]:
        found, open_ends = set[str](), list(begin)
        while open_ends:
            status = open_ends.pop()
            if status not in found:
                found.add(status)
                open_ends += self._course.get(status, ())
        return found
