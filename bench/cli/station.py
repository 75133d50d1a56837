"""`pilotbench station`: the simulated station alone, against any back end."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from ...errors import ConfigError
from ..children import Child
from ..stop import stop_signals

__all__ = ["StationRequest", "station_command"]

VERSIONS = ("1.6", "2.0.1", "2.1")
ENDS_WITHIN_S = 5.0


class StationRequest(msgspec.Struct, frozen=True):
    """The command line of `pilotbench station`."""

    url: str
    ocpp: str
    password: str | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    fault: str | None = None
    oddity: str | None = None
    seed: int = 1
    session: bool = False
    card: str = "04A2B3C4D5"


def station_command(request: StationRequest) -> int:
    """Run it until its session is over, `quit`, or a signal; returns the exit code.

    Raises:
        ConfigError: the options cannot be used; says which and what to do.
        TwinError: the process cannot be started, or ended by itself.
    """
    config = _config(request)
    with tempfile.TemporaryDirectory(prefix="pilotbench-station-") as name:
        folder = Path(name)
        path = folder / "station.json"
        # It may hold a password.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(config, file)
        return _run(path, folder)


def _run(path: Path, folder: Path) -> int:
    over = threading.Event()
    with stop_signals():
        child = Child("station", "pilotbench.bench.twin.solo", [str(path)], folder / "station.log")
        try:
            child.read_lines(_print, over.set)
            # An end of our own input ends nothing: a station in the background has none.
            threading.Thread(target=_pass_on, args=(child,), name="station commands", daemon=True).start()
            over.wait()
        except KeyboardInterrupt:
            child.let_go()
            over.wait(ENDS_WITHIN_S)
        finally:
            child.end()
        died = child.death()
    code = child.process.returncode
    words = child.last_words()
    if words:
        sys.stderr.write(f"pilotbench: {words}\n")
    if died is not None and code < 0:
        raise died
    return max(code, 0)


def _print(message: dict[str, Any]) -> None:
    try:
        print(message.get("text", message), flush=True)
    except OSError:
        return  # nobody reads any more; the station goes on


def _pass_on(child: Child) -> None:
    for line in sys.stdin:
        if line.strip():
            child.say({"type": "command", "text": line.strip()})


def _config(request: StationRequest) -> dict[str, Any]:
    parts = urlsplit(request.url)
    station = unquote(parts.path.rsplit("/", 1)[-1])
    if parts.scheme not in ("ws", "wss") or not parts.hostname or not station:
        raise ConfigError(
            f"--url {request.url}: a URL like ws://host:port/CP001 is expected; its last part is the station's name."
        )
    if request.ocpp not in VERSIONS:
        raise ConfigError(f"--ocpp {request.ocpp}: the station speaks {', '.join(VERSIONS)}.")
    if (request.cert is None) != (request.key is None):
        raise ConfigError("--cert and --key go together: the station's certificate chain and its key, as PEM files.")
    files = {"ca": request.ca, "cert": request.cert, "key": request.key}
    for name, file in files.items():
        if file is not None and parts.scheme != "wss":
            raise ConfigError(f"--{name} {file}: there are no certificates over ws://; use a URL with wss://.")
        if file is not None and not file.is_file():
            raise ConfigError(f"--{name} {file}: there is no such file.")
    return {
        "url": request.url,
        "ocpp": request.ocpp,
        "password": request.password,
        **{name: str(file.resolve()) if file is not None else None for name, file in files.items()},
        "odd": [name for name in (request.fault, request.oddity) if name is not None],
        "seed": request.seed,
        "session": request.card if request.session else None,
    }
