"""Plays one cell: a real pytest run on the virtual bench, brought to its state, and then something happens to it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotbench.bench.config import virtual_bench

from .cells import SIGNALS, Cell
from .judge import Played, judge
from .stillness import Stillness

__all__ = ["bench_file", "play"]

HERE = Path(__file__).resolve().parent
READY_WITHIN_S = 60.0
OVER_WITHIN_S = 60.0
FAMILY_WITHIN_S = 15.0
STARTS = 3
STAYS_S = 2.5
"""What hangs with nobody to end it is ended from here, well after the watchdog's time."""
LOOK_S = 0.01
# A shell starts what it runs in the background with SIGINT ignored, and a pytest that inherits this never hears one.
PYTEST = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "import pytest; sys.exit(pytest.main())"
)


def bench_file(cell: Cell) -> str:
    """The virtual bench, with few rules so that it starts quickly; for a weld with a relay in the station's supply."""
    text = virtual_bench().read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("packs =")]
    more = {"[rules]": 'packs = ["safety"]'}
    if cell.state == "welded":
        more |= {"[device.pilot]": "mains_relay = 1", "[envelope]": 'relays = ["mains"]'}
    if cell.nets == "guardian":
        more["[twin]"] = "pilot_watchdog = false"
    return "".join(f"{line}\n{more.get(line, '')}\n" for line in lines)


def play(cell: Cell, folder: Path) -> Played:
    """One repetition in a folder of its own; returns what the twin's log says about it.

    On a machine that stands still the guardian may end a bench before it is ready and anything was tried, as it should;
    then it is brought up once more, and `starts` says so.
    """
    played = _play(cell, folder)
    while played.never_ready and played.code == -signal.SIGKILL and played.starts < STARTS:
        starts = played.starts + 1
        played = _play(cell, folder.with_name(f"{folder.name}-again{starts}"))
        played.starts = starts
    return played


def _play(cell: Cell, folder: Path) -> Played:
    folder.mkdir(parents=True)
    (folder / "bench.toml").write_text(bench_file(cell), encoding="utf-8")
    environment = {
        **os.environ,
        "PILOTBENCH_STATE_DIR": str(folder / "state"),
        "CELL_STATE": cell.state,
        "CELL_CAUSE": cell.cause,
        "CELL_FOLDER": str(folder),
        # Our own plugin and no other: the rest of a lab's plugins would only make each start slower.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-c", PYTEST, "-q", "-s", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull]
    command += ["-p", "pilotbench.fixtures.plugin"]
    command += ["--rootdir", str(HERE), "--bench", str(folder / "bench.toml"), "--bench-out", str(folder / "run")]
    began = time.monotonic()
    owner = subprocess.Popen(
        [*command, str(HERE / "hold.py")],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # Through a pipe: a full disk must not hide what the owner says.
    listening = threading.Thread(target=_write_down, args=(owner, folder / "owner.log"), daemon=True)
    listening.start()
    ready: dict[str, Any] = {}
    try:
        _wait(lambda: (folder / "ready.json").exists() or owner.poll() is not None, READY_WITHIN_S)
        if not (folder / "ready.json").exists():
            code = owner.poll()
            _end(owner, ready)
            listening.join(FAMILY_WITHIN_S)
            why = [f"never ready: {_tail(folder / 'owner.log')}"]
            return Played(cell, folder, code=code, never_ready=True, trouble=why)
        ready = json.loads((folder / "ready.json").read_text())
        ready_s = time.monotonic() - began
        with Stillness() as still:
            at_ns = _cause(cell, folder, owner, ready["guardian"])
            over = _wait(lambda: owner.poll() is not None, STAYS_S if cell.stays else OVER_WITHIN_S)
        if cell.stays and not over:
            owner.kill()
            over = _wait(lambda: owner.poll() is not None, OVER_WITHIN_S)
        listening.join(FAMILY_WITHIN_S)
        left = _left_over(folder, owner, ready) if over else ["the owner did not end"]
        return judge(cell, folder, at_ns or _cause_ns(folder), owner.poll(), left, ready_s, still.spans)
    finally:
        _end(owner, ready)


def _write_down(owner: subprocess.Popen[bytes], path: Path) -> None:
    assert owner.stdout is not None
    with path.open("wb") as log, owner.stdout as pipe:
        for line in pipe:
            log.write(line)


def _cause(cell: Cell, folder: Path, owner: subprocess.Popen[bytes], guardian: int) -> int | None:
    """Let it happen; the instant just before, where it is done from here."""
    if cell.nets == "watchdog":
        # Stopped it does nothing and is not missed yet; killed before, the bench would end the run for that.
        os.kill(guardian, signal.SIGSTOP)
    at_ns: int | None = time.monotonic_ns()
    if cell.cause in SIGNALS:
        name, group = SIGNALS[cell.cause]
        (os.killpg if group else os.kill)(owner.pid, getattr(signal, name))
    elif cell.cause == "full disk":
        for pid in (owner.pid, guardian):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))
    else:
        (folder / "go").touch()
        _wait(lambda: (folder / "cause.json").exists() or owner.poll() is not None, 10.0)
        at_ns = None
    if cell.nets == "watchdog":
        os.kill(guardian, signal.SIGKILL)
    return at_ns


def _cause_ns(folder: Path) -> int:
    return int(json.loads((folder / "cause.json").read_text())["at_ns"])


def _left_over(folder: Path, owner: subprocess.Popen[bytes], ready: dict[str, Any]) -> list[str]:
    """Processes of this run that do not end by themselves."""

    def alive() -> list[str]:
        found = [f"guardian {ready['guardian']}"] if _is(ready["guardian"], "guardian") else []
        return found + [f"process {pid}" for pid in _family(folder, owner.pid)]

    _wait(lambda: not alive(), FAMILY_WITHIN_S)
    return alive()


def _is(pid: int, word: str) -> bool:
    try:
        return word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _family(folder: Path, owner: int) -> list[int]:
    """Whatever names this run's folder on its command line."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != owner and _is(int(entry.name), f"{folder}/"):
            found.append(int(entry.name))
    return found


def _end(owner: subprocess.Popen[bytes], ready: dict[str, Any]) -> None:
    if owner.poll() is None:
        owner.kill()
    owner.wait()
    guardian = ready.get("guardian")
    if guardian is not None and _is(guardian, "guardian"):
        os.kill(guardian, signal.SIGKILL)


def _wait(true: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)  # a look at other processes, bounded by the deadline
    return True


def _tail(log: Path) -> str:
    killed = log.parent / "run" / "guardian.json"
    text = log.read_text(errors="replace")[-600:] if log.exists() else ""
    return text or (killed.read_text()[:200] if killed.exists() else "no word")
