"""The matrix beside the station's software: each fault of vehicle, cable, supply, hardware and instruments, played.

Each says in `pilotbench twin faults --json` what a run with it leads to. A run is one case on a virtual bench with
`--twin-fault`; it is held against that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotbench.bench.config import virtual_bench
from pilotbench.bench.recording import read_run
from pilotbench.bench.timeline import Event

from cli_runs import CliRun
from fault_matrix import none_at_all, stood_still

BENCH_ERROR = 4
CASE = "metering"
WHILE_CHARGING = "once=charging,after_s=2"

MORE_DEVICES = {
    "supply": """
[device.supply]
driver = "supply.scpi"
port = "twin:supply"
voltage = "230 V"
current = "32 A"
""",
    "monitor": """
[device.monitor]
driver = "evse.rapi"
port = "twin:monitor"
""",
}
"""What the virtual bench has not, by the name of the device."""


@dataclass(frozen=True)
class Course:
    """How a fault is played: its arguments, the case, and what the virtual bench has not: an instrument, or a line in
    its table `safe`.
    """

    arguments: str = WHILE_CHARGING
    case: str = CASE
    device: str | None = None
    safe: str = ""


FROM_THE_START = Course("")
SHORT = Course("", "local_stop")
COURSES: Mapping[str, Course] = {
    "cp-diode-short": FROM_THE_START,
    "pp-open": FROM_THE_START,
    "pp-short": FROM_THE_START,
    "pp-resistance": FROM_THE_START,
    "pp-changing": FROM_THE_START,
    "contactor-no-close": FROM_THE_START,
    "lock-blocked": SHORT,
    "contactor-welded": SHORT,
    "contactor-pole-welded": SHORT,
    "pwm-fast": SHORT,
    "pwm-slow": SHORT,
    "mains-cut": Course("once=charging,after_s=2,for_s=2"),
    "deaf": Course(f"{WHILE_CHARGING},device=supply", device="supply"),
    "slow": Course(WHILE_CHARGING, device="monitor"),
    "boot": Course(WHILE_CHARGING, device="monitor"),
    "stuck": Course(f"{WHILE_CHARGING},device=supply", device="supply"),
    "trip": Course(f"{WHILE_CHARGING},device=supply", device="supply"),
    "e-stop": Course(f"{WHILE_CHARGING},device=pilot", safe='e_stop = "pilot"'),
    "reset": Course(f"{WHILE_CHARGING},device=pilot"),
    "unplugged": Course(f"{WHILE_CHARGING},device=pilot"),
    "serial-noise": Course(f"{WHILE_CHARGING},for_s=4,device=pilot"),
    "serial-garbage": Course(f"{WHILE_CHARGING},for_s=4,device=pilot"),
    "serial-lost": Course(f"{WHILE_CHARGING},for_s=4,device=pilot"),
    "serial-slow": Course(f"{WHILE_CHARGING},device=pilot"),
}
"""How each is played; the others while it charges, on the virtual bench."""

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        ["chademo-malfunction", "chademo-silent", "chademo-protocol", "chademo-no-stop"],
        "tests/contract/test_chademo_contract.py: the simulated station is an AC one, no case plays with CHAdeMO",
    ),
    "silent": "tests/contract/test_ev_sim_contract.py: the simulated station wants a pilot whose output it can feed",
}
"""What is played by other tests, and why."""


@dataclass(frozen=True)
class PhysicalPlay:
    """One run. `outcome`, `rules` and `trip` are what the list promises."""

    name: str
    outcome: str
    rules: tuple[str, ...]
    course: Course
    trip: str = ""
    kind: str = "physical"
    long: bool = False

    @property
    def label(self) -> str:
        return self.name

    def command(self, base: Path) -> tuple[str, ...]:
        """The command line after `pilotbench run --json`; a bench file of its own is written into `base`."""
        fault = f"{self.name}:{self.course.arguments}" if self.course.arguments else self.name
        bench = ()
        course = self.course
        if course.device is not None or course.safe:
            base.mkdir(parents=True, exist_ok=True)
            path = base / f"{self.name}.toml"
            text = virtual_bench().read_text("utf-8").replace("[safe]\n", f"[safe]\n{course.safe}\n", 1)
            head, cut, envelope = text.partition("[envelope]")
            device = "" if course.device is None else MORE_DEVICES[course.device]
            path.write_text(f"{head}{device}\n{cut}{envelope}", encoding="utf-8")
            bench = ("--bench", str(path))
        return (*bench, "--twin-fault", fault, self.course.case)


def physical_plays(rows: Iterable[dict[str, Any]]) -> Iterator[PhysicalPlay]:
    """Every one that is played here."""
    for row in rows:
        if row["name"] not in ELSEWHERE:
            course = COURSES.get(row["name"], Course())
            yield PhysicalPlay(row["name"], row["outcome"], tuple(row["rules"]), course, row["trip"])


@dataclass(frozen=True)
class Seen:
    """What a run with a physical fault showed.

    - `begun`: the fault stands on the timeline. `code`: exit code of the run.
    - `fails`, `errors`, `doubts`: rules that FAIL, that are ERROR, that cannot be decided and count.
    - `stalled`: of the rules listed, those that would FAIL, had this machine not stood still.
    - `trips`: why the supervisor made the bench safe.
    - `halted`, `trouble`: as in `Judged`.
    """

    play: PhysicalPlay
    begun: bool = False
    code: int = 0
    fails: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    doubts: frozenset[str] = frozenset()
    stalled: frozenset[str] = frozenset()
    trips: tuple[str, ...] = ()
    trouble: str = ""
    halted: bool = False
    rules: frozenset[str] = frozenset()

    @property
    def by_machine(self) -> bool:
        """As in `Judged`."""
        return self.halted or self.only_stalled

    @property
    def only_stalled(self) -> bool:
        return self.play.outcome == "station FAIL" and not self.fails and bool(self.stalled)

    @property
    def wrong(self) -> str:
        """What is not as listed; empty when all is."""
        if self.trouble or not self.begun:
            return self.trouble or "it never began"
        listed = set(self.play.rules) if self.play.outcome == "station FAIL" else set[str]()
        if self.fails - listed:
            return f"blamed by {', '.join(sorted(self.fails - listed))}"
        as_listed = {
            "handled": self.code in (0, 3) and not self.errors and not self.trips,
            "station FAIL": bool(self.fails or self.stalled),
            "supervisor trip": self.code == BENCH_ERROR and self.play.trip in self.trips,
            "bench ERROR": self.code == BENCH_ERROR and not self.trips,
            "inconclusive": self.code in (0, 3) and not self.errors and not self.trips,
        }
        return "" if as_listed[self.play.outcome] else self.told

    @property
    def right(self) -> bool:
        return not self.wrong

    @property
    def word(self) -> str:
        if self.halted:
            return "no run, this machine stood still"
        if self.wrong:
            return f"NOT AS LISTED: {self.wrong}"
        return "seen, but this machine stood still" if self.only_stalled else "as listed"

    @property
    def told(self) -> str:
        """What the run came to, in words."""
        parts = [
            f"exit code {self.code}",
            *(f"trip {trip}" for trip in self.trips),
            *(
                f"{word} {', '.join(sorted(rules)[:3])}{f' and {len(rules) - 3} more' if len(rules) > 3 else ''}"
                for word, rules in (("FAIL", self.fails), ("ERROR", self.errors), ("undecided", self.doubts))
                if rules
            ),
        ]
        return "; ".join(parts)


def look(play: PhysicalPlay, run: CliRun) -> Seen:
    """What a run showed."""
    try:
        document = run.document
    except ValueError:
        trouble, halted = none_at_all(run)
        return Seen(play, trouble=trouble, halted=halted)
    return seen(play, document, read_run(run.folder).events)


def seen(play: PhysicalPlay, document: dict[str, Any], events: Sequence[Event]) -> Seen:
    """As `look`, of the run's JSON document and its recording."""
    by: dict[str, set[str]] = {}
    for verdict in document["verdicts"]:
        if verdict["verdict"] != "INCONCLUSIVE" or verdict["counts"]:
            by.setdefault(verdict["verdict"], set()).add(verdict["rule"])
    told = [event.data for event in events if event.topic in ("twin.fault", "safety.trip")]
    stood = any(event.topic == "twin.overrun" for event in events)
    return Seen(
        play,
        begun=any(data.get("name") == play.name and data.get("on") for data in told),
        code=document["exit_code"],
        fails=frozenset(by.get("FAIL", ())),
        errors=frozenset(by.get("ERROR", ())),
        doubts=frozenset(by.get("INCONCLUSIVE", ())),
        stalled=frozenset(
            verdict["rule"]
            for verdict in document["verdicts"]
            if stood and verdict["rule"] in play.rules and stood_still(verdict)
        ),
        trips=tuple(data["cause"] for data in told if "cause" in data),
        trouble="" if document["cases"] else f"no case was played: {'; '.join(document['problems'])}",
        rules=frozenset(verdict["rule"] for verdict in document["verdicts"]),
    )
