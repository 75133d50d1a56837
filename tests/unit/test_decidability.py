"""What the doctor says before a run is what the engine then does: just outside the band decided, just inside not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pilotbench.bench.assembly import facts_of
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.correlation import Facts, Limit, Pack, evaluate, load_pack
from pilotbench.bench.correlation.fluent import Rule
from pilotbench.bench.correlation.foresight.decidability import Decidability, decidability, summary
from pilotbench.bench.correlation.inventory import Inventory
from pilotbench.bench.timeline import Stamp

from traces import CONFIGS, MS, Trace, full_session

LIMITS = sorted((CONFIGS / "limits").glob("*.toml"))
HAS = Inventory(cp_residual_ms=0.5, pilot_clock_ms=3.0, meter_poll_ms=400.0, meter_age_ms=250.0, ocpp_lag_ms=30.0)
FACTS = Facts(station="CP001", inventory=HAS)
ZERO = 100_000.0
"""The middle of the trigger, in milliseconds of the bench clock."""
NEAR = 0.02
"""How near to the edge of the band the traces go (ms)."""
PP = Limit("limit.pp", 1.0, "pp", "", "", True)


class Bench(Trace):
    """Events whose stamps are as wide as the inventory says, placed by the middle of their interval."""

    def _pilot(self, topic: str, middle: float, data: dict[str, Any], residual: float, delay: float) -> None:
        at, clock = middle + delay / 2, HAS.pilot_clock_ms
        lo, hi = at - residual - clock - delay, at + residual + clock
        receipt = round((at + 20) * MS)
        self.add(
            "pilot",
            topic,
            Stamp(
                receipt,
                round(lo * MS),
                round(hi * MS),
                "pilot",
                1,
                round(at * MS),
                round(residual * MS),
                0,
                round(delay * MS),
            ),
            data,
        )

    def state(self, middle: float, letter: str, *, pwm: bool = False) -> None:
        self._pilot("cp.state", middle, {"state": letter, "pwm": pwm}, HAS.cp_residual_ms + 0.001, 0)

    def pwm(self, middle: float, *, on: bool, duty: float = 50.0) -> None:
        self._pilot("cp.pwm", middle, {"on": on, "duty_pct": duty if on else 100.0}, HAS.cp_residual_ms + 0.001, 0)

    def sensed(self, middle: float, *, live: bool) -> None:
        assert HAS.sense_ms is not None
        self._pilot("output", middle, {"live": live, "phases": [live]}, 0.001, HAS.sense_ms[1])

    def locked(self, middle: float, *, locked: bool) -> None:
        assert HAS.lock_ms is not None
        self._pilot("lock", middle, {"locked": locked}, 0.001, HAS.lock_ms[1])

    def told(self, middle: float, topic: str, *, evse: int | None = 1, **data: Any) -> None:
        self.host(
            "csms", topic, middle + HAS.ocpp_lag_ms / 2, {"station": "CP001", **data}, evse=evse, age=HAS.ocpp_lag_ms
        )

    def asked(self, middle: float, verb: str, **args: Any) -> None:
        data = {"device": "pilot", "verb": verb, "args": args}
        self.host("pilot", "stimulus", middle + HAS.command_ms / 2, data, age=HAS.command_ms)

    def sampled(self, at: float, amps: float) -> None:
        """A reading that was asked for so long before `at` as an answer takes."""
        self.meter(at, amps, age=HAS.meter_age_ms + HAS.meter_answer_ms)

    def drops(self, middle: float, begin: float) -> None:
        """The current is there from `begin` on, and gone so that the middle of its edge is `middle`."""
        width = HAS.meter_poll_ms + HAS.meter_age_ms + HAS.meter_answer_ms
        at = middle + width / 2
        while at > begin:
            at -= HAS.meter_poll_ms
            self.sampled(at, 10.0)
        for n in range(5):
            self.sampled(middle + width / 2 + n * HAS.meter_poll_ms, 0.0)


Play = Callable[[Bench, float], None]


def rule(pattern: str, sentence: str, **options: Any) -> Rule:
    made = Rule(pattern, sentence).text("t").ref("r").named("it")
    for key, value in options.items():
        made = made._with(key, value)  # pyright: ignore[reportPrivateUsage]
    return made


def doctor(made: Rule, facts: Facts = FACTS) -> Decidability:
    limits = {PP.name: PP}
    return decidability(Pack([made.build(limits)], limits), facts)[0]


def judged(made: Rule, play: Play, at: float, facts: Facts = FACTS) -> str:
    bench = Bench()
    play(bench, at)
    bench.end(ZERO + at + 60_000)
    limits = {PP.name: PP}
    verdict = evaluate(bench.events, Pack([made.build(limits)], limits), facts).of("it")
    return f"{verdict.verdict}"


def opens(bench: Bench, at: float) -> None:
    bench.state(ZERO - 2000, "C", pwm=True)
    bench.sensed(ZERO - 1000, live=True)
    bench.state(ZERO, "B", pwm=True)
    bench.sensed(ZERO + at, live=False)


def closes_again(bench: Bench, at: float) -> None:
    bench.state(ZERO - 2000, "C", pwm=True)
    bench.sensed(ZERO - 1000, live=False)
    bench.state(ZERO, "B", pwm=True)
    bench.sensed(ZERO + at, live=True)


def reports(bench: Bench, at: float) -> None:
    bench.state(ZERO - 2000, "A")
    bench.told(ZERO - 1500, "ocpp.status", connector=1, status="Available", logical="available")
    bench.state(ZERO, "B")
    bench.told(ZERO + at, "ocpp.status", connector=1, status="Preparing", logical="occupied")


def boots(bench: Bench, at: float) -> None:
    bench.told(ZERO, "csms.reset", evse=None, type="Hard", accepted=True, status="Accepted")
    bench.told(ZERO + at, "ocpp.boot", evse=None)


def stops_drawing(bench: Bench, at: float) -> None:
    bench.state(ZERO - 4000, "C", pwm=True)
    bench.drops(ZERO + at, ZERO - 3000)
    bench.state(ZERO, "B", pwm=True)


def unlocks(bench: Bench, at: float) -> None:
    bench.locked(ZERO - 1000, locked=True)
    bench.told(ZERO, "csms.unlock", connector=1, accepted=True, status="Unlocked")
    bench.locked(ZERO + at, locked=False)


def offers(bench: Bench, at: float) -> None:
    bench.state(ZERO - 1000, "A")
    bench.pwm(ZERO - 900, on=False)
    bench.state(ZERO, "B")
    bench.pwm(ZERO + at, on=True)


def shorted(bench: Bench, at: float) -> None:
    bench.sensed(ZERO - 1000, live=True)
    bench.asked(ZERO, "faults", flags=["diode"])
    bench.sensed(ZERO + at, live=False)


def beats(bench: Bench, at: float) -> None:
    bench.told(ZERO - 9000, "ocpp.connected", evse=None, version="1.6")
    bench.told(ZERO, "ocpp.heartbeat", evse=None)
    bench.told(ZERO + at, "ocpp.heartbeat", evse=None)
    bench.told(ZERO + at + 1, "ocpp.disconnected", evse=None)


def pwm_then_live(bench: Bench, at: float) -> None:
    """`at`: how much later than the PWM the output is live."""
    bench.state(ZERO - 5000, "B")
    bench.pwm(ZERO - 4000, on=False)
    bench.sensed(ZERO - 3000, live=False)
    bench.pwm(ZERO, on=True)
    bench.sensed(ZERO + at, live=True)


LATER: list[tuple[str, Rule, Play]] = [
    ("pilot to its sense", rule("respond", "cp.state C -> B => output dead", within="100 ms"), opens),
    ("pilot to OCPP", rule("respond", "cp.state A -> B => status occupied", within="5 s"), reports),
    ("OCPP to OCPP", rule("respond", "csms.reset[accepted] => ocpp.boot", within="9 s", per="station"), boots),
    ("pilot to meter", rule("respond", "cp.state C -> B => current <= 1 A", within="3 s"), stops_drawing),
    ("OCPP to lock", rule("respond", "csms.unlock[accepted] => lock open", within="3 s"), unlocks),
    ("drift of a clock", rule("respond", "cp.state A -> B => pwm on", within="20 s"), offers),
    ("the bench clock over minutes", rule("respond", "cp.state A -> B => pwm on", within="200 s"), offers),
    ("stimulus to sense", rule("respond", "stimulus[verb=faults] => output dead", within="3 s"), shorted),
    (
        "cadence",
        rule("cadence", "ocpp.heartbeat every 10 s while connected yes", per="station", tolerance="10 %"),
        beats,
    ),
]


@pytest.mark.parametrize(("made", "play"), [item[1:] for item in LATER], ids=[item[0] for item in LATER])
def test_outside_the_band_it_is_decided_inside_it_is_not(made: Rule, play: Play) -> None:
    found = doctor(made)
    assert found.decidable
    assert found.band is not None
    lo, hi = found.band
    verdicts = [judged(made, play, at) for at in (lo - NEAR, lo + NEAR, (lo + hi) / 2, hi - NEAR, hi + NEAR)]
    assert verdicts == ["PASS", "INCONCLUSIVE", "INCONCLUSIVE", "INCONCLUSIVE", "FAIL"]


def test_what_must_not_happen_is_decided_the_other_way_round() -> None:
    made = rule("absent", "cp.state C -> B => output dead -> live", within="3 s")
    found = doctor(made)
    assert found.band is not None
    lo, hi = found.band
    verdicts = [judged(made, closes_again, at) for at in (lo - NEAR, lo + NEAR, hi - NEAR, hi + NEAR)]
    assert verdicts == ["FAIL", "INCONCLUSIVE", "INCONCLUSIVE", "PASS"]


def test_an_order_is_open_around_the_same_instant() -> None:
    made = rule("order", "pwm on < output dead -> live")
    found = doctor(made)
    assert found.limit is None
    assert found.band is not None
    lo, hi = found.band
    verdicts = [judged(made, pwm_then_live, at) for at in (lo - NEAR, lo + NEAR, hi - NEAR, hi + NEAR)]
    assert verdicts == ["FAIL", "INCONCLUSIVE", "INCONCLUSIVE", "PASS"]


def test_a_value_is_open_within_its_accuracy() -> None:
    made = rule("invariant", "current <= 0.5 A while cp.state A")

    def draws(bench: Bench, amps: float) -> None:
        bench.state(ZERO, "A")
        for n in range(10):
            bench.sampled(ZERO + 1000 + n * HAS.meter_poll_ms, amps)
        bench.state(ZERO + 1200 + 9 * HAS.meter_poll_ms, "B")

    found = doctor(made)
    assert (found.unit, found.limit, found.u) == ("A", 0.5, FACTS.current_accuracy_a)
    assert found.band is not None
    lo, hi = found.band
    verdicts = [judged(made, draws, amps) for amps in (lo - 1e-6, lo + 1e-6, hi - 1e-6, hi + 1e-6)]
    assert verdicts == ["PASS", "INCONCLUSIVE", "INCONCLUSIVE", "FAIL"]


@pytest.mark.parametrize("name", ["energy.agree", "energy.conform"])
@pytest.mark.parametrize("accuracy_pct", [0.2, 0.4])
def test_energies_are_compared_from_the_energy_that_the_doctor_names(name: str, accuracy_pct: float) -> None:
    facts = msgspec.structs.replace(FACTS, powered_by_bench=True, meter_accuracy_pct=accuracy_pct)
    pack = load_pack([CONFIGS / "rules" / "energy.toml"], LIMITS).only(name)
    found = decidability(pack, facts)[0]
    assert found.decidable
    least = float(found.note.removeprefix("from about ").removesuffix(" Wh on"))
    for energy_wh, expected in ((least - 2, "INCONCLUSIVE"), (least + 2, "PASS")):
        trace = full_session(energy_wh=round(energy_wh), gain=1.0)
        assert f"{evaluate(trace.events, pack, facts).of(name).verdict}" == expected, energy_wh


# ---- never


def never(pack: str, name: str, facts: Facts) -> str:
    rules = load_pack([CONFIGS / "rules" / f"{pack}.toml"], LIMITS).only(name)
    found = decidability(rules, facts)[0]
    assert not found.decidable, found
    assert found.never is not None
    return found.never


def bench(tmp_path: Path, *changes: tuple[str, str], without: str = "") -> Facts:
    text = virtual_bench().read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    if without:
        begin = text.index(f"[device.{without}]")
        text = text[:begin] + text[text.index("\n[", begin) + 1 :]
    path = tmp_path / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return facts_of(load_bench_file(path))


def test_a_bench_without_output_sense_or_lock(tmp_path: Path) -> None:
    facts = bench(tmp_path, ('output_sense = "0..10 ms"', 'output_sense = "none"'), ('lock_sense = "0..1 ms"', ""))
    assert never("iec61851", "stop.open", facts) == "the bench has no output sense"
    assert never("safety", "start.order", facts) == "the bench has no output sense"
    assert "no feedback of the lock" in never("ocpp16", "unlock.opens", facts)
    assert decidability(load_pack([CONFIGS / "rules" / "safety.toml"], LIMITS).only("no_current.a"), facts)[0].decidable


def test_a_bench_without_a_meter(tmp_path: Path) -> None:
    facts = bench(tmp_path, without="meter")
    for pack, name in (("energy", "energy.agree"), ("safety", "no_current.a"), ("iec61851", "ev.follows")):
        assert never(pack, name, facts) == "the bench has no meter"


def test_a_meter_that_is_read_every_10_s(tmp_path: Path) -> None:
    facts = bench(tmp_path, ('poll = "100 ms"', 'poll = "10 s"'))
    assert "read every 10 s" in never("safety", "no_current.a", facts)
    assert "read every 10 s" in never("iec61851", "ev.follows", facts)


def test_a_meter_that_is_slower_than_the_limit() -> None:
    facts = Facts(inventory=Inventory(meter_poll_ms=1500, meter_age_ms=500))
    found = doctor(rule("respond", "cp.state C -> B => current <= 1 A", within="1 s"), facts)
    assert found.never is not None
    assert "not below the limit 1000 ms: polling of meter every 1500 ms" in found.never


def test_a_bench_without_a_pilot(tmp_path: Path) -> None:
    facts = bench(tmp_path, without="pilot")
    assert never("iec61851", "stop.open", facts) == "the bench has no control pilot emulator"


def test_a_station_that_keeps_its_configuration_to_itself_or_takes_watts(tmp_path: Path) -> None:
    section = 'ocpp = "1.6"\n'
    closed = bench(tmp_path, (section, f"{section}configuration_readable = false\n"))
    assert "needs config.MinimumStatusDuration" in never("ocpp16", "boot.status", closed)
    watts = bench(tmp_path, (section, f'{section}profile_unit = "W"\n'))
    assert "in watts" in never("iec61851", "profile.duty", watts)


def test_a_station_of_another_ocpp_version(tmp_path: Path) -> None:
    facts = bench(tmp_path)
    assert never("ocpp201", "v2.boot.first", facts) == "it is about OCPP 2.0.1 and 2.1, and the station speaks 1.6"


def test_an_accuracy_that_is_not_below_the_tolerance() -> None:
    made = rule("respond", "ocpp.boot => duty <= duty_of(16 A) + limit.pp", within="5 s")
    found = doctor(made, msgspec.structs.replace(FACTS, duty_accuracy_pp=1.5))
    assert found.never == "the accuracy of duty (±1.5 pp) is not below the tolerance 1 pp"
    assert doctor(made).decidable


def test_no_relay_and_no_card(tmp_path: Path) -> None:
    relay = rule("respond", "stimulus[verb=relay] => ocpp.boot", within="60 s")
    assert doctor(relay).never == "no relay of the bench switches the station's supply (mains_relay)"
    card = rule("respond", "stimulus[verb=token] => ocpp.authorized", within="60 s")
    assert doctor(card).decidable
    none = msgspec.structs.replace(FACTS, inventory=msgspec.structs.replace(HAS, token_reader=False))
    assert "cannot present a card" in (doctor(card, none).never or "")


def test_a_meter_that_is_too_coarse_for_a_share() -> None:
    pack = load_pack([CONFIGS / "rules" / "energy.toml"], LIMITS)
    facts = Facts(meter_accuracy_pct=1.0)
    found = {item.rule: item for item in decidability(pack, facts)}
    assert "a quarter of the limit at any energy" in (found["energy.conform"].never or "")
    assert "better than 0.5 %" in (found["energy.conform"].never or "")


def test_a_calibration_that_ran_out() -> None:
    facts = facts_of(load_bench_file(virtual_bench()))
    pack = load_pack([CONFIGS / "rules" / "energy.toml"], LIMITS)
    year = 365 * 86400 * 10**9
    later = decidability(pack, facts, (2040 - 1970) * year)
    assert "holds from 2026-01-15 to 2036-01-15 only" in (later[0].never or "")
    assert all(item.decidable for item in decidability(pack, facts, (2030 - 1970) * year))


def test_the_virtual_bench_decides_all_packs_of_its_station() -> None:
    facts = facts_of(load_bench_file(virtual_bench()))
    for name in ("iec61851", "safety", "energy", "ocpp16"):
        found = decidability(load_pack([CONFIGS / "rules" / f"{name}.toml"], LIMITS), facts)
        assert [item.rule for item in found if not item.decidable] == []
        assert summary(found) == f"{len(found)} of {len(found)} rules decidable on this bench"
