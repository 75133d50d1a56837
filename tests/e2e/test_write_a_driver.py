"""The driver of docs/write-a-driver.md, installed from the very files that the page shows, on a bench."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pilotbench.bench.assembly import envelope_of
from pilotbench.bench.cli.drivers import drivers_command
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.recording import read_run
from pilotbench.bench.safety import EnvelopeGate
from pilotbench.bench.timeline import Gate, Timeline, new_loop
from pilotbench.drivers.registry import create, driver_class
from pilotbench.errors import ConfigError, DeviceError, SafetyError

from cli_runs import cli
from copper import Copper
from driver_rig import OpenGate
from wire_tap import WireTap

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "contact-box"
PAGE = (ROOT / "docs" / "write-a-driver.md").read_text(encoding="utf-8")
PORT = "/dev/serial/by-id/usb-ACME_CB1_0042-if00"
ACT = (
    "import json, sys; from pilotbench.bench.safety.guardian.act import act; "
    "from pilotbench.bench.safety.guardian.plan import read_plan; "
    "print(json.dumps(act(read_plan(sys.stdin.read()).recipes).to_dict()))"
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example, installed as its user would do it, on the path of this process and of its children."""
    base = tmp_path_factory.mktemp("example")
    source = shutil.copytree(EXAMPLE, base / "contact-box", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--no-compile"]
    subprocess.run([*pip, *alone, "--target", str(base / "site"), str(source)], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(base / "site")
        patch.setenv("PYTHONPATH", str(base / "site"))
        yield base / "site"
        for name in [name for name in sys.modules if name.startswith("acme_contact_box")]:
            del sys.modules[name]


class Box:
    """The example's emulator in a process of its own."""

    def __init__(self, link: Path) -> None:
        self.port = str(link)
        command = [sys.executable, "-m", "acme_contact_box.emulator", self.port]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.line() == "ready"

    def line(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def weld(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("stuck\n")
        self._process.stdin.flush()

    def close(self) -> list[str]:
        """End it; what it did and was not asked for yet."""
        return self._process.communicate(timeout=5)[0].split("\n")


@pytest.fixture
def box(site: Path, tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "box")
    yield made
    made.close()


class Alone:
    """The driver without a bench."""

    def __init__(self) -> None:
        self._loop, _ = new_loop()
        self._drivers: list[Any] = []

    def driver(self, gate: Gate, port: str) -> Any:
        self._drivers.append(create("acme.contact_box", "box", Timeline().source("box"), gate, port=port))
        return self._drivers[-1]

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        self._loop.run_until_complete(asyncio.wait_for(work, 10))

    def close(self) -> None:
        for driver in self._drivers:
            self.run(driver.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alone]:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    made = Alone()
    yield made
    made.close()


@pytest.fixture
def bench(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copper]:
    """The tables of the page in a bench that is not virtual."""
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "copper" / "state"))
    device, envelope = (block for block in blocks("toml") if "project" not in block)
    assert PORT in device
    made = Copper(
        tmp_path / "copper",
        ("[envelope]\n", device.replace(PORT, box.port) + "\n" + envelope),
        ("contactor_cycles = 500", "contactor_cycles = 2"),
        ('min_off = "200 ms"', 'min_off = "0 s"'),
    )
    yield made
    made.close()


def test_the_page_shows_the_files() -> None:
    shown = {*blocks("toml"), *blocks("python")}
    for name in ("pyproject.toml", "acme_contact_box/driver.py", "acme_contact_box/emulator.py"):
        assert (EXAMPLE / name).read_text(encoding="utf-8") in shown, f"{name} is not what the page shows"


def test_it_is_listed_with_its_package(site: Path, tmp_path: Path) -> None:
    told = cli("drivers", "--json", state=tmp_path)
    assert told.code == 0, told.err
    (entry,) = [entry for entry in told.document["drivers"] if entry["driver"] == "acme.contact_box"]
    assert entry.pop("text").startswith("Switches the mains of a station")
    assert entry == {
        "driver": "acme.contact_box",
        "from": "acme-contact-box 1.0",
        "role": "relay",
        "energises": "yes",
    }


def test_the_doctor_opens_it(bench: Copper) -> None:
    told = cli("doctor", "--bench", str(bench.path), "--watch", "700 ms", "--json", state=bench.state)
    found = {entry["what"]: entry for entry in told.document["findings"] if entry["subject"] == "box"}
    assert "model ACME CB1, serial 0042" in found["opening"]["detail"], told.out
    assert found["safe state"]["state"] == found["guardian"]["state"] == "ok"
    assert "stamps" in found


def test_a_run_has_its_events_and_the_gate_holds_it_to_the_envelope(bench: Copper, box: Box) -> None:
    assert bench.file.device["box"].role == "relay"
    bench.arm()
    host = bench.start()
    contactor: Any = next(driver for driver in host.bench.instruments if driver.name == "box")
    assert box.line() == "closed"  # its station gets its supply when the bench is up
    host.call(contactor.switch(1, False))
    host.call(contactor.switch(1, True))
    assert (box.line(), box.line()) == ("open", "closed")
    host.timeline.wait_for("lab.contact_box.sample", lambda sample: sample["temperature_c"] > 30)
    host.call(contactor.switch(1, False))
    assert box.line() == "open"
    with pytest.raises(SafetyError, match=r"refused by the envelope: contactor_cycles = 2, asked for 3"):
        host.call(contactor.switch(1, True))
    assert bench.close() == []
    assert [line for line in box.close() if line] == [], "nothing of what was refused reached the wire"
    events = read_run(bench.path.parent / "run").events
    mine = [event for event in events if event.source == "box"]
    assert {"device.state", "relay.state", "stimulus", "lab.contact_box.sample"} <= {event.topic for event in mine}
    assert [event.data["on"] for event in mine if event.topic == "relay.state"] == [False, True, False, True, False]
    assert not [event for event in mine if event.late or event.topic == "gap"]


def test_without_its_duty_in_the_envelope_nothing_is_switched(box: Box, alone: Alone) -> None:
    gate = EnvelopeGate(envelope_of(load_bench_file(virtual_bench())))
    driver = alone.driver(gate, box.port)
    alone.run(driver.open())
    with pytest.raises(SafetyError, match=r"relay\(n=1, on=True, duty=mains\) refused by the envelope: relays"):
        alone.run(driver.switch(1, True))
    alone.run(driver.make_safe())


def test_the_guardian_opens_it_without_the_driver(box: Box) -> None:
    with open(box.port, "r+b", buffering=0) as wire:
        wire.write(b"K 1\nK ")  # and whoever wrote this died in the middle of a line
        assert box.line() == "closed"
    recipe = create("acme.contact_box", "box", Timeline().source("box"), None, port=box.port).emergency()
    plan = {"owner": 1, "dead_ms": 600, "report": "", "recipes": [msgspec.to_builtins(recipe)]}
    done = subprocess.run(
        [sys.executable, "-c", ACT], input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["safe"], done.stdout
    assert box.line() == "open"


def test_a_contactor_that_does_not_follow_is_told(box: Box, alone: Alone) -> None:
    driver = alone.driver(OpenGate(), box.port)
    alone.run(driver.open())
    alone.run(driver.switch(1, True))
    box.weld()
    with pytest.raises(DeviceError, match="the contact did not follow"):
        alone.run(driver.make_safe())
    assert driver.state == "UNKNOWN"


@pytest.mark.parametrize(("answer", "says"), [(None, "no answer"), (b"login: ?\n", "something else than an ACME")])
def test_what_is_no_contact_box(site: Path, tmp_path: Path, alone: Alone, answer: bytes | None, says: str) -> None:
    tap = WireTap(tmp_path / "wrong", None, answer=lambda data: answer or b"")
    try:
        with pytest.raises(DeviceError, match=says) as caught:
            alone.run(alone.driver(OpenGate(), tap.port).open())
        assert (caught.value.sent, caught.value.received) == ("ID?", answer and "login: ?")
    finally:
        tap.close()


# ---- what an author meets

GOOD = (EXAMPLE / "acme_contact_box" / "driver.py").read_text(encoding="utf-8")
RELAY = 'role: ClassVar[Role] = "relay"'


def package(folder: Path, points: str, module: str = "") -> None:
    """A package of another author, as an installer leaves it."""
    info = folder / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[pilotbench.drivers]\n{points}\n", encoding="utf-8")
    (folder / f"{folder.name.replace('-', '_')}.py").write_text(module, encoding="utf-8")


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / re.sub(r"\W+", "_", tmp_path.name)
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize(
    ("target", "changes", "says"),
    [
        ("no_such_module:Box", (), r"cannot be loaded: ModuleNotFoundError.*written as module:Class"),
        ("{}:Bax", (), "cannot be loaded: AttributeError"),
        ("{}", (), "is a module and no driver"),
        ("{}:Role", (), r"no driver: it has to inherit from pilotbench's Driver"),
        ("{}:ContactBox", (("WATCHDOG_S = 2.0", "WATCHDOG_S = 2 / 0"),), r"ZeroDivisionError.*\.py:\d+\)"),
        ("{}:ContactBox", (("async def _look", "async def _see"),), "is not finished: ContactBox has no _look"),
        (
            "{}:ContactBox",
            ((RELAY, 'role = "relais"'),),
            r"'relais' \(did you mean 'relay'\?\)",
        ),
        (
            "{}:ContactBox",
            ((RELAY, ""),),
            "plays the part 'monitor', which nobody makes safe",
        ),
        ("{}:ContactBox", (("async def make_safe", "async def make_save"),), "cannot be made safe: ContactBox has to"),
        ("{}:ContactBox", (("self._permit(", "print("),), "never asks the gate"),
        ("{}:ContactBox", (("async def _look", "def _permit(self): ...\n\n    async def _look"),), "overrides _permit"),
    ],
)
def test_a_driver_that_cannot_be_used(
    other: Path, target: str, changes: tuple[tuple[str, str], ...], says: str
) -> None:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    package(other, f"other.box = {target.format(other.name)}", text)
    with pytest.raises(ConfigError, match=says) as caught:
        driver_class("other.box")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ((), {"poll": 1}, r"the driver 'other.box' has no key 'poll' \(did you mean 'poll_s'\?\)"),
        ((("baud: int = 9600", "baud: int"),), {}, "needs the key 'baud' in the bench file"),
        ((("evse: int = 1,", ""), ("evse=evse", "evse=1")), {}, "does not take 'evse'"),
        ((), {"poll_s": "soon"}, r"breaks when it is made: TypeError: .*\.py:\d+\)"),
        ((), {"poll_s": 1.5}, "starves the box's watchdog"),
        ((("async def switch", "async def swich"),), {}, "plays the part 'relay' and has no switch"),
    ],
)
def test_a_table_that_does_not_fit(
    other: Path, changes: tuple[tuple[str, str], ...], options: dict[str, Any], says: str
) -> None:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    package(other, f"other.box = {other.name}:ContactBox", text)
    given = {"port": "/dev/null", "evse": 1, **options}
    with pytest.raises(ConfigError, match=says):
        create("other.box", "box", Timeline().source("box"), None, **given)


def test_a_driver_that_breaks_when_it_is_opened(other: Path, tmp_path: Path, alone: Alone) -> None:
    package(other, f"other.box = {other.name}:ContactBox", GOOD.replace('await self._ask("ID?")', "1 / 0"))
    tap = WireTap(tmp_path / "port", None, answer=lambda data: b"")
    try:
        driver = create("other.box", "box", Timeline().source("box"), None, port=tap.port)
        with pytest.raises(DeviceError, match=r"its driver broke when it was opened: ZeroDivisionError.*\.py:\d+\)"):
            alone.run(driver.open())
    finally:
        tap.close()


def test_two_packages_with_the_same_kind(other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(other, f"other.box = {other.name}:ContactBox", GOOD)
    second = tmp_path / "second"
    second.mkdir()
    package(second, "other.box = second:Box")
    (second / "other-1.0.dist-info").rename(second / "another-1.0.dist-info")
    (second / "another-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(second)
    with pytest.raises(ConfigError, match=r"several packages bring a driver 'other.box'.*Uninstall all but one"):
        driver_class("other.box")


def test_a_broken_package_is_listed_with_what_is_wrong(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(other, "other.box = no_such_module:Box")
    assert drivers_command(json=False) == 4
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("other.box")]
    assert "ModuleNotFoundError" in line
    assert line.endswith("(other 1.0)")


def test_a_kind_of_pilotbench_itself_is_not_taken_over(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(other, f"pilot.line = {other.name}:ContactBox", GOOD)
    assert drivers_command(json=False) == 4
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("pilot.line ")]
    assert len(lines) == 2
    assert "is never used" in lines[1]
    assert lines[1].endswith("(other 1.0)")
    assert driver_class("pilot.line").__name__ == "LinePilot"


def test_the_tables_of_the_page_are_toml() -> None:
    assert [list(tomllib.loads(block)) for block in blocks("toml")] == [
        ["build-system", "project", "tool"],
        ["device"],
        ["envelope"],
    ]
