"""`pilotbench arm` and `pilotbench disarm`: a person at the bench permits it to energise, for a while.

This is the only place that writes a permission, and it does so for a person only: it asks for the bench's name at a
terminal, or takes it as an option from the operator's shell. No test can arm: it is refused in a process that runs a
bench, and in every process that pytest began.
"""

from __future__ import annotations

import getpass
import json
import os
import shlex
import socket
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from ...errors import BenchError, ConfigError
from ..config import BenchFile, load_bench_file
from ..owner import state_dir
from ..permission import arming_of, digest_of, envelope_of, is_real
from ..safety.arming import ArmToken, this_boot, token_path, tokens_in
from ..safety.csms_actions import GROUPS
from ..timeline import parse_quantity
from ..timeline.hints import did_you_mean

__all__ = ["ArmRequest", "arm_command", "disarm_command", "status_command"]

LEAST_S = 60.0
MOST_S = 24 * 3600.0
"""Nobody stands at a bench for longer; who does arms it again."""

LOG = "log.jsonl"


class ArmRequest(msgspec.Struct, frozen=True):
    """The command line of `pilotbench arm`."""

    bench: Path
    duration: str
    faults: tuple[str, ...] = ()
    csms: tuple[str, ...] = ()
    at_the_bench: str | None = None


def arm_command(request: ArmRequest) -> int:
    """Write the permission; returns the exit code.

    Raises:
        ConfigError: this bench needs none or cannot be armed like this; nothing was written.
    """
    _only_for_people()
    file = load_bench_file(request.bench)
    if not is_real(file):
        raise ConfigError(f"{file.name} is all virtual: the twin needs no arming.", file=str(file.path))
    if not file.safe.emergency_stop:
        raise ConfigError(
            'the bench file names no hard-wired emergency stop. Write in [safe] where it is: emergency_stop = "…".',
            file=str(file.path),
        )
    seconds = _seconds(request.duration)
    faults = _known(request.faults, "--faults", envelope_of(file).dangers, "faults, relays and rapi in [envelope]")
    allowed = frozenset(GROUPS) & frozenset(file.envelope.csms_allowed)
    groups = _known(request.csms, "--csms", allowed, "csms_allowed in [envelope]")
    _show(file, request.duration, faults, groups)
    if not _at_the_bench(file, request.at_the_bench):
        sys.stdout.write("not armed.\n")
        return 2
    token = _token(file, seconds, faults, groups)
    path = token_path(state_dir(), file.path)
    _write(path, token)
    _log(path.parent, "armed", file, token)
    sys.stdout.write(
        f"armed until {token.until}. `pilotbench disarm --bench {shlex.quote(str(request.bench))}` ends it.\n"
    )
    return 0


def disarm_command(bench: Path) -> int:
    """Take the permission away; a run that is up makes its bench safe. Returns the exit code.

    Raises:
        ConfigError: there is no such file.
    """
    if not bench.is_file():
        raise ConfigError(
            "there is no such bench file; `pilotbench arm --status` lists what is armed.", file=str(bench)
        )
    path = token_path(state_dir(), bench)
    try:
        path.unlink()
    except FileNotFoundError:
        sys.stdout.write("was not armed.\n")
        return 0
    except OSError as error:
        raise BenchError(f"the permission in {path} cannot be removed: {error.strerror}. Remove it by hand.") from error
    _log(path.parent, "disarmed", bench.name, None)
    sys.stdout.write("disarmed.\n")
    return 0


def status_command(bench: Path | None) -> int:
    """Show what is armed: one bench, or all of this user. Returns 0 when something is, else 5."""
    if bench is not None:
        file = load_bench_file(bench)
        arming = arming_of(file)
        if arming is None:
            sys.stdout.write(f"{file.name}: all virtual, needs no arming\n")
            return 0
        token, why = arming.look()
        sys.stdout.write(f"{file.name}: not armed, {why}\n" if token is None else f"{_line(token)}\n")
        return 0 if token is not None else 5
    boot = this_boot()
    armed = 0
    for token in tokens_in(state_dir()):
        if token.left_s(boot) <= 0:
            continue
        why = _ended(token)
        armed += not why
        told = f"{token.bench}: not armed, {why}" if why else _line(token)
        sys.stdout.write(f"{told} ({token.file})\n")
    if not armed:
        sys.stdout.write("nothing is armed\n")
    return 0 if armed else 5


def _ended(token: ArmToken) -> str:
    """Why a permission that has time left does not count any more; "" while it does."""
    try:
        arming = arming_of(load_bench_file(Path(token.file)))
    except BenchError as error:
        return f"its bench file cannot be read any more: {error}"
    if arming is None:
        return "the bench is all virtual now"
    return arming.look()[1] if arming.look()[0] is None else ""


def _only_for_people() -> None:
    host = f"{__package__.removesuffix('.cli')}.host" if __package__ else ""
    if host in sys.modules or "pytest" in sys.modules or "PYTEST_CURRENT_TEST" in os.environ:
        raise ConfigError(
            "a program cannot arm a bench. Whoever stands at it runs `pilotbench arm` in a shell, before the tests; a "
            "runner of tests finds the permission there."
        )


def _seconds(text: str) -> float:
    try:
        seconds = parse_quantity(text, "time") / 1e9
    except ValueError as error:
        raise ConfigError(f"--for: {error}.") from None
    if not LEAST_S <= seconds <= MOST_S:
        raise ConfigError(f"--for {text}: a bench is armed for 1 min to {MOST_S / 3600:g} h at a time.")
    return seconds


def _known(asked: tuple[str, ...], option: str, allowed: frozenset[str], where: str) -> tuple[str, ...]:
    for name in asked:
        if name not in allowed:
            listed = ", ".join(sorted(allowed)) or "none"
            hint = did_you_mean(name, sorted(allowed))
            raise ConfigError(f"{option}: {name!r} is not allowed on this bench{hint}. Allowed by {where}: {listed}.")
    return tuple(sorted(set(asked)))


def _show(file: BenchFile, duration: str, faults: tuple[str, ...], groups: tuple[str, ...]) -> None:
    envelope = file.envelope
    lines = (
        f"bench           {file.name}, station {file.station.id}",
        f"emergency stop  {file.safe.emergency_stop}",
        f"limits          {envelope.current:g} A, {envelope.voltage:g} V, {envelope.energy:g} Wh in one run and outlet",
        f"armed for       {duration}: charging sessions" + (f"; faults: {', '.join(faults)}" if faults else ""),
        *([f"the station     may be asked for {', '.join(groups)}"] if groups else []),
    )
    sys.stdout.write("\n".join(lines) + "\n")


def _at_the_bench(file: BenchFile, said: str | None) -> bool:
    """The person's own word for it: the bench's name."""
    if said is None:
        if not sys.stdin.isatty():
            raise ConfigError(
                "arming asks for the bench's name at a terminal, and there is none. An operator's script, run by "
                f"whoever stands at the bench, adds --yes-i-am-at-the-bench {file.name}."
            )
        sys.stdout.write(f"Who arms stands at the bench. Type its name ({file.name}) to go on: ")
        sys.stdout.flush()
        said = sys.stdin.readline().strip()
    if said != file.name:
        sys.stdout.write(f"{said!r} is not {file.name!r}: ")
        return False
    return True


def _token(file: BenchFile, seconds: float, faults: tuple[str, ...], groups: tuple[str, ...]) -> ArmToken:
    boot = this_boot()
    now = datetime.now(UTC).astimezone()
    return ArmToken(
        bench=file.name,
        file=str(file.path),
        digest=digest_of(file),
        user=getpass.getuser(),
        uid=os.getuid(),
        host=socket.gethostname(),
        since=now.isoformat(timespec="seconds"),
        until=(now + timedelta(seconds=seconds)).isoformat(timespec="seconds"),
        boot_id=boot.id,
        since_ns=boot.now_ns,
        until_ns=boot.now_ns + round(seconds * 1e9),
        faults=faults,
        csms=groups,
    )


def _write(path: Path, token: ArmToken) -> None:
    """Whole or not at all, readable by this user alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".arm-")  # made with mode 0600
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(token))
        Path(name).replace(path)
    except OSError as error:
        raise BenchError(f"the permission cannot be written to {path}: {error.strerror}. Nothing is armed.") from error


def _log(folder: Path, what: str, file: BenchFile | str, token: ArmToken | None) -> None:
    """Who armed what and when, for whoever asks later."""
    entry: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": what,
        "bench": file if isinstance(file, str) else file.name,
        "user": getpass.getuser(),
        "host": socket.gethostname(),
    }
    if token is not None:
        entry |= {"until": token.until, "faults": token.faults, "csms": token.csms, "digest": token.digest}
    with os.fdopen(os.open(folder / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as log:
        log.write(json.dumps(entry) + "\n")


def _line(token: ArmToken) -> str:
    left_min = token.left_s(this_boot()) / 60
    more = "".join(
        f"; {name}: {', '.join(what)}" for name, what in (("faults", token.faults), ("csms", token.csms)) if what
    )
    return f"{token.bench}: armed until {token.until} ({left_min:.0f} min left) by {token.user}@{token.host}{more}"
