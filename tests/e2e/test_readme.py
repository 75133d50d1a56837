"""Every command of the README does what it says, and every link of the documentation leads somewhere."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shlex
import socket
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from pilotbench.bench.recording import read_run

from cli_runs import environment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))
ELSEWHERE = {
    "make test": "this very suite is what it runs",
    ".venv/bin/pilotbench tui": "needs a terminal: see test_tui.py",
    ".venv/bin/pilotbench run --external-station --out runs/foreign": "see test_external_station.py, which plays both",
    ".venv/bin/python docs/examples/station_on_ocpp.py runs/foreign/dut-port.json": "the other half of it",
}
BEHIND = ".venv/bin/pilotbench csms "
"""It serves until it is stopped, and the command after it talks to it."""
PORT = ":9000"
OTHERWISE = {
    ".venv/bin/pilotbench run --station-fault late-open --out runs/late-open": (1, "SAFETY FAIL: stop.open"),
    ".venv/bin/pilotbench check runs/late-open/run.mcap": (1, "FAIL stop.open"),
    ".venv/bin/pilotbench run idle --twin-fault meter-word-order --out runs/meter": (3, "case idle: passed"),
    # The hardware of the example is not here.
    ".venv/bin/pilotbench doctor --bench lab.toml --watch '1 s'": (4, "there is no such port"),
    ".venv/bin/pilotbench run --bench lab.toml": (4, "the CSMS cannot listen on 192.168.50.1:9000"),
    ".venv/bin/pilotbench arm --bench lab.toml --for 8h": (0, "armed until"),
}
"""Exit code, and what is said."""
ARM = ".venv/bin/pilotbench arm "
BENCH = "ac-22kw-type2"
"""What `arm` asks for at a terminal."""


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a fresh clone: the project's files by link, and no run in it."""
    desk = tmp_path_factory.mktemp("desk")
    for path in ROOT.iterdir():
        if path.name not in ("runs", ".git", ".venv"):
            (desk / path.name).symlink_to(path)
    if not (ROOT / ".venv").exists():
        pytest.skip("there is no .venv here: the tests were started without make")
    # The environment is the one that runs this test, and counts as fresh: nothing is installed anew from here.
    (desk / ".venv").mkdir()
    (desk / ".venv" / "bin").symlink_to(ROOT / ".venv" / "bin")
    for stamp in (".run", ".dev"):
        (desk / ".venv" / stamp).touch()
    (desk / "test_stop.py").write_text(re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0], encoding="utf-8")
    return desk


def test_the_readme_has_commands_and_its_test_is_short() -> None:
    assert "make demo" in commands()
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    assert len(example.strip().splitlines()) < 20


def test_every_command_of_the_readme_works_in_its_order(desk: Path) -> None:
    served = contextlib.ExitStack()
    free = f":{free_port()}"
    with served:
        for command in commands():
            if command in ELSEWHERE:
                continue
            if command.startswith(BEHIND):
                # The port of the README may be somebody else's on this machine.
                served.enter_context(serving(command.replace(PORT, free), desk))
                continue
            done = run(command.replace(PORT, free), desk)
            code, said = OTHERWISE.get(command, (0, ""))
            assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
            assert said in " ".join(done.stdout.split()), f"{command}\n{done.stdout}"
    desk_run = read_run(desk / "runs" / "desk")
    assert desk_run.truncated is None
    assert [event.data["version"] for event in desk_run.events if event.topic == "ocpp.connected"]


def run(command: str, desk: Path) -> subprocess.CompletedProcess[str]:
    """The command in a shell; one that arms by a person at a terminal, who types the bench's name."""
    env = desk_environment(desk)
    if command.startswith(ARM):
        env.pop("PYTEST_CURRENT_TEST")  # nothing that pytest began may arm
    person, terminal = pty.openpty()
    try:
        os.write(person, f"{BENCH}\n".encode())
        return subprocess.run(
            command,
            shell=True,
            cwd=desk,
            env=env,
            stdin=terminal if command.startswith(ARM) else None,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    finally:
        os.close(person)
        os.close(terminal)


def desk_environment(desk: Path) -> dict[str, str]:
    return {**environment(desk / "state"), "PATH": f"{os.environ['PATH']}"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def serving(command: str, desk: Path) -> Generator[None]:
    """The command in the background, until the README's last; then it is stopped, and has to end well."""
    process = subprocess.Popen(
        shlex.split(command), cwd=desk, env=desk_environment(desk), stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert any("Ctrl-C" in line for line in process.stdout), "it ended before it served"
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield
        process.terminate()
        assert process.wait(15) == 0


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CHANGELOG.md", *PAGES], ids=lambda p: p.name)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        found = page.parent / target if target else page
        assert found.exists(), f"{page.name}: {target}"
        assert not heading or heading in headings(found), f"{page.name}: {target}#{heading}"


def headings(page: Path) -> list[str]:
    """The anchors of a page: as GitHub makes them from its headings."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]


def test_every_page_can_be_found_from_the_readme() -> None:
    assert [page.name for page in PAGES if f"(docs/{page.name})" not in README] == []
