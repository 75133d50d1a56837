"""Small runs for one rule: events with exact or wide stamps on the host's clock (milliseconds), and one sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pilotbench.bench.correlation import Facts, Instance, Outcome, Pack, Verdict, evaluate, load_pack
from pilotbench.bench.timeline import Event, Stamp

__all__ = ["MS", "Lab", "pack_of"]

MS = 1_000_000
_RANKS = {"bench": 0, "csms": 1, "rig": 2, "probe": 3, "pilot": 4, "meter": 5}
_END_MS = 100_000


def pack_of(sentence: dict[str, Any]) -> Pack:
    """One rule, `r`: its sentence and options as they stand in a pack."""
    lines = ["schema = 2", "[rule.r]", 'text = "t"', 'ref = "r"']
    lines += [f"{key} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for key, v in sentence.items()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return load_pack([path], [])


class Lab:
    """Events in the making. Times: `at` or [`at`, `upto`] in milliseconds; received at `upto` (or `order`)."""

    def __init__(self, facts: Facts | None = None) -> None:
        self.facts = facts or Facts()
        self._made: list[tuple[int, int, Event]] = []
        self._seqs: dict[str, int] = {}

    def put(
        self,
        topic: str,
        at: float,
        upto: float | None = None,
        *,
        source: str = "rig",
        evse: int | None = 1,
        order: float | None = None,
        **data: Any,
    ) -> Lab:
        """One event. Those of one source have to be put in the order of their receipt."""
        hi = at if upto is None else upto
        stamp = Stamp(round((hi if order is None else order) * MS), round(at * MS), round(hi * MS))
        self._seqs[source] = seq = self._seqs.get(source, 0) + 1
        event = Event(topic, source, seq, stamp, data, evse, None, _RANKS[source])
        self._made.append((stamp.order_ns, len(self._made), event))
        return self

    def cp(self, state: str, at: float, upto: float | None = None) -> Lab:
        return self.put("cp.state", at, upto, source="pilot", state=state, pwm=False)

    def duty(self, pct: float, at: float, upto: float | None = None) -> Lab:
        return self.put("cp.pwm", at, upto, source="pilot", on=pct < 100, duty_pct=pct, freq_hz=1000.0)

    def output(self, at: float, upto: float | None = None, *, live: bool) -> Lab:
        return self.put("output", at, upto, source="pilot", live=live)

    def amps(self, value: float, at: float, upto: float | None = None) -> Lab:
        return self.put("meter.sample", at, upto, source="meter", current_a=[value])

    def boot(self, at: float) -> Lab:
        return self.put("ocpp.boot", at, source="csms", evse=None, model="m", vendor="v", firmware="1")

    def gap(self, source: str, begin: float, end: float) -> Lab:
        data = {"from_ns": round(begin * MS), "to_ns": round(end * MS), "why": "lost"}
        return self.put("gap", begin, end, source=source, evse=None, **data)

    @property
    def events(self) -> list[Event]:
        """In canonical order, with the end of the run."""
        made = [event for _, _, event in sorted(self._made, key=lambda one: one[:2])]
        end_ns = max([_END_MS * MS, *(event.stamp.order_ns for event in made)])
        closed = Event("bench.state", "bench", 1, Stamp.host(end_ns), {"state": "closed", "why": ""}, None, None, 0)
        return sorted([*made, closed], key=lambda event: event.order)

    def verdict(self, *, truncated: bool = False, **sentence: Any) -> Verdict:
        """What a rule says of the run."""
        return evaluate(self.events, pack_of(sentence), self.facts, truncated=truncated).of("r")

    def said(self, *, truncated: bool = False, **sentence: Any) -> list[str]:
        """The instances in short: `PASS`, `INCONCLUSIVE CLOCK`, in the order in which they opened."""
        return [short(item) for item in self.verdict(truncated=truncated, **sentence).instances]

    def only(self, *, truncated: bool = False, **sentence: Any) -> str:
        """The one instance in short; `NOTHING` if there is none."""
        found = self.said(truncated=truncated, **sentence)
        assert len(found) < 2, found
        return found[0] if found else "NOTHING"


def short(item: Instance) -> str:
    outcome = "NA" if item.outcome is Outcome.NOT_APPLICABLE else item.outcome.value
    return outcome if item.reason is None else f"{outcome} {item.reason.value}"
