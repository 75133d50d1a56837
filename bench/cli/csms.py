"""`pilotbench csms`: the back end alone, for a charger that somebody has on the desk."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from ... import __version__
from ...errors import ConfigError
from ..back_end import BackEnd, BackEndPlan, make_back_end
from ..csms import Settings
from ..owner import Ownership, state_dir
from ..recording import Recorder, Redactor
from ..report import create_run_folder
from ..safety.listening import ListeningGate
from ..timeline import Event, LagSelector, Timeline, new_loop, syntax_line
from .csms_lines import line_of

__all__ = ["CsmsRequest", "csms_command"]

GC_THRESHOLD = (20_000, 50, 1000)
"""Measured with 50 stations: the slowest answers take a half to a third of the time."""


class CsmsRequest(msgspec.Struct, frozen=True):
    """The command line of `pilotbench csms`."""

    listen: str
    record: Path | None
    security_profile: int
    accept: str
    strict: bool
    boots: tuple[str, ...]
    heartbeat_s: int
    public_host: str | None
    files_port: int
    quiet: bool


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of `--accept`: who may connect and charge, and with which passwords."""

    stations: list[str] | None = None
    tokens: list[str | dict[str, Any]] | None = None
    passwords: dict[str, str] = {}
    password: str | None = None


def csms_command(request: CsmsRequest) -> int:
    """Serve until a signal asks to stop; returns the exit code.

    Raises:
        BenchError: it could not begin, or the recording is not whole.
    """
    plan = plan_of_command(request)
    folder = state_dir() / "csms" / "alone"
    owner = Ownership(folder, "pilotbench csms", what="the state of the back end,")
    try:
        loop, poll = new_loop()
        try:
            loop.run_until_complete(_serve(request, plan, folder, poll))
        finally:
            loop.close()
    finally:
        owner.release()
    return 0


def plan_of_command(request: CsmsRequest) -> BackEndPlan:
    """What the command line says of the back end.

    Raises:
        ConfigError: it says something that cannot be.
    """
    host, port = _address(request.listen)
    if request.security_profile not in (0, 1, 2, 3):
        raise ConfigError(f"--security-profile: there is no {request.security_profile}; there are 0, 1, 2 and 3.")
    for status in request.boots:
        if status not in ("Accepted", "Pending", "Rejected"):
            raise ConfigError(f"--boot: {status!r} is no answer to a boot; Accepted, Pending and Rejected are.")
    who = _accepted(request.accept)
    if request.security_profile in (1, 2) and not who.passwords and who.password is None:
        raise ConfigError(
            f'--security-profile {request.security_profile} needs passwords: give --accept FILE with `password = "…"`, '
            "or a table [passwords] with one for each station."
        )
    settings = Settings(tokens=who.tokens, heartbeat_s=request.heartbeat_s, boots=request.boots, strict=request.strict)
    return BackEndPlan(
        host=host,
        port=port,
        files_port=request.files_port,
        public_host=request.public_host,
        security_profile=request.security_profile,
        stations=who.stations,
        passwords=who.passwords,
        password=who.password,
        settings=settings,
    )


async def _serve(request: CsmsRequest, plan: BackEndPlan, folder: Path, poll: LagSelector) -> None:
    stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    _stopped_by_signals(stop)
    timeline = Timeline()
    back_end = make_back_end(plan, folder, timeline, ListeningGate(), poll)
    recorder = _recorder(request, timeline, Redactor(back_end.security.passwords.secrets))
    if recorder is not None:
        recorder.start()
    if not request.quiet:
        timeline.subscribe(_printing(time.time_ns() - time.monotonic_ns()))
    try:
        await back_end.start()
        # What is here now stays; and a look through everything holds up every answer meanwhile.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)
        for line in _welcome(request, plan, back_end, recorder):
            _say(line)
        _say(f"stopped by {await stop}")
    finally:
        await _close(back_end, recorder)
    if recorder is not None:
        _say(f"recorded {recorder.path}")


async def _close(back_end: BackEnd, recorder: Recorder | None) -> None:
    try:
        await back_end.close()
    finally:
        if recorder is not None:
            await recorder.close()


def _stopped_by_signals(stop: asyncio.Future[str]) -> None:
    """Each of the stop signals ends the serving, and none cuts the end short."""

    def ask(name: str) -> None:
        if not stop.done():
            stop.set_result(name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ask, number.name)


def _recorder(request: CsmsRequest, timeline: Timeline, redactor: Redactor) -> Recorder | None:
    if request.record is None:
        return None
    folder = create_run_folder("csms", out=request.record)
    attached: Mapping[str, bytes] = {
        "versions.json": msgspec.json.encode({"pilotbench": __version__}),
        "run.json": msgspec.json.encode({"bench": None, "csms": request.listen}),
    }
    return Recorder(folder / "run.mcap", timeline, attached, redactor=redactor)


def _welcome(request: CsmsRequest, plan: BackEndPlan, back_end: BackEnd, recorder: Recorder | None) -> list[str]:
    stations = plan.stations or ["<station id>"]
    lines = [f"listening for OCPP 1.6, 2.0.1 and 2.1; security profile {plan.security_profile}"]
    urls = [back_end.csms.url(station) for station in stations]
    lines += [f"station  {unquote(url)}" for url in urls]
    lines.append(f"files    {back_end.files.url}")
    if plan.security_profile >= 2:
        lines.append(f"root     {back_end.security.pki.root_file} (give it to the station as the root of the CSMS)")
    if recorder is not None:
        lines.append(f"record   {recorder.path}")
    return [*lines, "Ctrl-C ends it."]


def _printing(wall_minus_bench_ns: int) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        line = line_of(event, wall_minus_bench_ns)
        if line is not None:
            _say(line)

    return tell


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"--listen: {text!r} is no address with a port; write it like 127.0.0.1:9000.")
    return host, int(port)


def _accepted(text: str) -> Accepted:
    """`any`, or a TOML file that says who.

    Raises:
        ConfigError: it cannot be read, or has something that is not known.
    """
    if text == "any":
        return Accepted()
    path = Path(text)
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = f"--accept: {getattr(error, 'strerror', None) or error}. Give `any`, or a TOML file."
        raise ConfigError(why, file=text) from error
    try:
        return msgspec.convert(tomllib.loads(content), Accepted)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not TOML: {error}.", file=text, line=syntax_line(error, content)) from None
    except msgspec.ValidationError as error:
        known = ", ".join(Accepted.__struct_fields__)
        raise ConfigError(f"{error}. Known: {known}.", file=text) from None
