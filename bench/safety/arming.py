"""A person's expiring permission to energise real hardware: reading it, and asking whether it holds.

It is a file that `pilotbench arm` writes; nothing here can write one. It holds for one bench file as it was then,
for the user and host that armed, until its time is over on the clock of this boot: the wall clock in it is for
people, and setting that clock makes no permission last longer.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from .danger import Needs

__all__ = ["ArmToken", "Arming", "Boot", "this_boot", "token_path", "tokens_in"]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Boot(msgspec.Struct, frozen=True):
    """The clock a permission is counted on: which boot of this machine, and nanoseconds since it."""

    id: str
    now_ns: int


class ArmToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who armed which bench, for how long, and for what beside a plain session.

    `since` and `until` are wall clock, ISO 8601, for people; `since_ns` and `until_ns` count from the boot `boot_id`.
    """

    bench: str
    file: str
    digest: str
    user: str
    uid: int
    host: str
    since: str
    until: str
    boot_id: str
    since_ns: int
    until_ns: int
    faults: tuple[str, ...] = ()
    csms: tuple[str, ...] = ()

    def left_s(self, boot: Boot) -> float:
        """Seconds that it still holds; 0 or less: it does not."""
        if boot.id != self.boot_id or boot.now_ns < self.since_ns:
            return 0.0
        return (self.until_ns - boot.now_ns) / 1e9


def this_boot() -> Boot:
    """This machine's boot, and how long ago it was; time asleep counts."""
    return Boot(BOOT_ID.read_text(encoding="ascii").strip(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def token_path(folder: Path, bench_file: Path) -> Path:
    """Where the permission for a bench file is kept, in the state directory `folder`."""
    key = hashlib.sha256(str(bench_file.resolve()).encode()).hexdigest()[:16]
    return folder / "armed" / f"bench-{key}.json"


def tokens_in(folder: Path) -> list[ArmToken]:
    """Every permission in the state directory that can be read, expired or not, by bench."""
    found = [_read(path)[0] for path in (folder / "armed").glob("bench-*.json")]
    return sorted((token for token in found if token is not None), key=lambda token: (token.bench, token.file))


class Arming:
    """Asks for one bench, again before every stimulus, whether it is armed.

    `path` is where the permission lies, `digest` what the bench file says now, `command` what a person has to type.
    """

    def __init__(
        self, path: Path, digest: str, command: str, boot: Callable[[], Boot] = this_boot, host: str | None = None
    ) -> None:
        self._path = path
        self._digest = digest
        self._command = command
        self._boot = boot
        self._host = host or socket.gethostname()
        self._ended = ""
        self._held = False

    @property
    def path(self) -> Path:
        """Where the permission lies, for the guardian, which takes it away when it acts."""
        return self._path

    def end(self, why: str) -> None:
        """Take the permission away, for every process and until a person arms again."""
        self._ended = why
        self._path.unlink(missing_ok=True)

    def look(self) -> tuple[ArmToken | None, str]:
        """The permission that holds now; or None, and why there is none."""
        if self._ended:
            return None, f"its arming ended: {self._ended}"
        token, why = _read(self._path)
        if token is None:
            return None, "it was disarmed" if self._held and not self._path.exists() else why
        boot = self._boot()
        if token.uid != os.getuid() or token.host != self._host:
            return None, f"it was armed by {token.user} on {token.host}, not by {getpass.getuser()} on {self._host}"
        if token.boot_id != boot.id:
            return None, "this machine was started again since it was armed"
        if token.digest != self._digest:
            return None, "the bench file, or a file it names for a device, was changed since it was armed"
        if token.left_s(boot) <= 0:
            return None, f"its arming expired ({token.until})"
        self._held = True
        return token, ""

    def refusal(self, needs: Needs) -> str:
        """See `gate.Permission`."""
        token, why = self.look()
        faults, groups = needs
        if token is None:
            more = f" --faults {','.join(sorted(faults))}" if faults else ""
            more += f" --csms {','.join(sorted(groups))}" if groups else ""
            return (
                f"this bench has real hardware and is not armed: {why}. Whoever stands at the bench arms it with "
                f"`{self._command}{more}`."
            )
        lacking = [*sorted(faults - set(token.faults)), *sorted(groups - set(token.csms))]
        if not lacking:
            return ""
        options = [
            f"--{name} {','.join(sorted({*had, *wanted}))}"
            for name, had, wanted in (("faults", token.faults, faults), ("csms", token.csms, groups))
            if {*had, *wanted}
        ]
        return (
            f"the bench is armed, but not for {', '.join(lacking)}. Whoever stands at the bench arms it with "
            f"`{self._command} {' '.join(options)}`."
        )


def _read(path: Path) -> tuple[ArmToken | None, str]:
    """The permission in a file, or why it is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None, "nobody armed it"
    except OSError as error:
        return None, f"its permission in {path} cannot be read: {error.strerror}"
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        os.close(handle)
        return None, f"its permission in {path} is not this user's alone (mode 0600)"
    with os.fdopen(handle, "rb") as file:
        text = file.read(65536)
    try:
        return msgspec.json.decode(text, type=ArmToken), ""
    except msgspec.MsgspecError as error:
        return None, f"its permission in {path} cannot be read: {error}"
