"""A bench without a [twin]: its instruments stand on ports of their own, as hardware does, and a person may arm it.

Behind the ports are the twin's emulators, which the bench knows nothing of.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost

from cli_runs import COMMAND, CliRun, environment
from twin_client import TwinProcess

__all__ = ["Copper", "in_a_shell"]

SAFE = '[safe]\nemergency_stop = "red button left of the door"\n'


def in_a_shell(*args: str, state: Path, typed: str | None = None, **more: str) -> CliRun:
    """Run `pilotbench` as a person does in a shell of his own, not as a child of pytest."""
    env = {key: value for key, value in environment(state).items() if key != "PYTEST_CURRENT_TEST"}
    done = subprocess.run(
        [*COMMAND, *args],
        env={**env, **more},
        input=typed if typed is not None else "",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return CliRun(done.returncode, done.stdout, done.stderr, Path())


class Copper:
    """One such bench. `host` is not started; `arm` and `disarm` are what a person types. `twin`: what is behind it."""

    def __init__(self, folder: Path, *changes: tuple[str, str], **twin: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state = folder / "state"
        self.twin = TwinProcess(folder / "behind", **twin)
        self.port = _free_port()
        self.path = folder / "copper.toml"
        self.path.write_text(self._text(*changes), encoding="utf-8")
        run = folder / "run"
        run.mkdir()
        self.file = load_bench_file(self.path)
        self.host = BenchHost(self.file, options=RunOptions(directory=run))
        self._station: subprocess.Popen[bytes] | None = None

    def _text(self, *changes: tuple[str, str]) -> str:
        text = virtual_bench().read_text(encoding="utf-8").partition("[twin]")[0]
        changes = (
            ('name = "virtual"', 'name = "lab"'),
            *((f'"twin:{port}"', f'"{self.twin.ready[key]}"') for port, key in self._ports().items()),
            ("port = 0 ", f"port = {self.port} "),
            ("[safe]\n", SAFE),
            *changes,
        )
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text

    def _ports(self) -> dict[str, str]:
        return {"pilot": "pilot", "meter": "meter", "can": "can"}

    def start(self) -> BenchHost:
        """Bring it up; a station that knows nothing of its outlet talks to it."""
        url = f"ws://127.0.0.1:{self.port}/CP001"
        self._station = subprocess.Popen(
            [*COMMAND, "station", "--url", url],
            env=environment(self.state),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.host.start()
        return self.host

    def arm(self, *more: str) -> CliRun:
        return in_a_shell(
            *("arm", "--bench", str(self.path), "--for", "1h", "--yes-i-am-at-the-bench", "lab", *more),
            state=self.state,
        )

    def disarm(self) -> CliRun:
        return in_a_shell("disarm", "--bench", str(self.path), state=self.state)

    def close(self) -> list[str]:
        """Close everything; what the bench had to say."""
        said: list[str] = []
        try:
            self.host.close()
        except ExceptionGroup as group:
            said = [str(error) for error in group.exceptions]
        finally:
            if self._station is not None:
                self._station.kill()
                self._station.communicate()
            self.twin.close()
        return said

    def plugged(self) -> bool:
        """What the plant behind the ports last heard of the plug."""
        facts = [line["value"] for line in self.twin.truth() if line.get("fact") == "plug"]
        return bool(facts and facts[-1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
