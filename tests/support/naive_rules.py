"""Rules to compare the engine with the naive evaluator on: each pattern with the options that the page defines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pilotbench.bench.correlation import Facts, Pack, load_pack

from random_traces import Shape

FACTS = Facts(evses=(1, 2), duty_accuracy_pp=0.1, current_accuracy_a=0.05, meter_max_gap_s=0.02)


def pack_of(sentences: list[dict[str, Any]]) -> Pack:
    """A pack of sentences with their options, as a file would hold it."""
    lines = ["schema = 2"]
    for i, rule in enumerate(sentences, 1):
        lines += [f'[rule."r{i}"]', 'text = "t"', 'ref = "r"']
        lines += [
            f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in rule.items()
        ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return load_pack([path], [])


RULES: dict[str, tuple[Shape, list[dict[str, Any]]]] = {
    "respond to events": (
        Shape(lab=("lab.a", "lab.b", "lab.c"), evses=(1, 2)),
        [
            {"respond": "lab.a => lab.b", "within": "20 ms"},
            {"respond": "lab.a => lab.b", "within": "20 ms", "per": "station", "after": "5 ms"},
            {"respond": "lab.a[ok] => lab.b[ok] or lab.c[n=1]", "within": "10 ms", "per": "id"},
            {"respond": "lab.a => lab.b[n=$n]", "within": "30 ms", "per": "evse, id"},
            {"respond": "lab.a => lab.a", "within": "15 ms", "per": "station"},
            {"respond": "lab.a => lab.b", "within": "20 ms", "until": "lab.c", "per": "station"},
            {"respond": "lab.a or lab.c => lab.b[n!=2]", "within": "20 ms", "until": "lab.c[ok]"},
            {"respond": "lab.a => lab.b"},
        ],
    ),
    "respond to conditions": (
        Shape(signals=("cp", "output", "duty"), evses=(1,)),
        [
            {"respond": "cp.state B|C -> A => output dead", "within": "20 ms"},
            {"respond": "cp.state B|C -> A => output dead", "within": "20 ms", "when": "output live"},
            {"respond": "cp.state A|B -> C => output live", "within": "20 ms", "already": "new"},
            {"respond": "cp.state A|B -> C => output live", "within": "20 ms", "unless": "cp.state A|B"},
            {"respond": "output dead -> live => duty >= 16 %", "within": "15 ms"},
            {"respond": "cp.state B|C -> A => output dead", "within": "20 ms", "hold": "10 ms"},
        ],
    ),
    "absent while": (
        Shape(signals=("cp", "output"), lab=("lab.a", "lab.b"), evses=(1,)),
        [
            {"absent": "output dead -> live while cp.state A|B"},
            {"absent": "output dead -> live while cp.state A|B", "settle": "10 ms", "settle_from": "C"},
            {"absent": "lab.a while cp.state C", "settle": "5 ms"},
            {"absent": "lab.a[ok] while output live"},
            {"absent": "lab.a while output live", "when": "cp.state A|B"},
        ],
    ),
    "absent after": (
        Shape(lab=("lab.a", "lab.b", "lab.c"), evses=(1, 2)),
        [
            {"absent": "lab.a => lab.b", "within": "20 ms"},
            {"absent": "lab.a => lab.b", "within": "20 ms", "until": "lab.c"},
            {"absent": "lab.a => lab.a", "within": "5 ms", "per": "id"},
            {"absent": "lab.a[ok] => lab.b[n=$n]", "until": "lab.c[ok]", "per": "station"},
        ],
    ),
    "absent after, edges": (
        Shape(signals=("cp", "output"), lab=("lab.a", "lab.b"), evses=(1,)),
        [
            {"absent": "cp.state C -> A|B => output dead -> live", "within": "20 ms"},
            {"absent": "lab.a => output dead -> live", "within": "10 ms", "when": "cp.state B|C"},
        ],
    ),
    "invariant": (
        Shape(signals=("cp", "output", "duty"), evses=(1,)),
        [
            {"invariant": "output dead while cp.state A"},
            {"invariant": "output dead while cp.state A|B", "settle": "10 ms"},
            {"invariant": "duty <= 16 % while output live", "settle": "3 ms"},
            {"invariant": "cp.state B|C while output live"},
        ],
    ),
    "invariant of samples": (
        Shape(signals=("cp", "current", "current", "current"), evses=(1,), unknown=0.0),
        [
            {"invariant": "current <= 0.5 A while cp.state A"},
            {"invariant": "current <= 0.5 A while cp.state A|B", "settle": "10 ms"},
        ],
    ),
    "order of conditions": (
        Shape(signals=("cp", "output", "duty", "connected"), evses=(1,)),
        [
            {"order": "cp.state C and pwm on < output dead -> live"},
            {"order": "connected yes < output dead -> live", "when": "pwm on"},
            {"order": "duty >= 16 % < cp.state A|B -> C"},
        ],
    ),
    "order of events": (
        Shape(lab=("lab.a", "lab.b", "lab.c"), evses=(1, 2), boots=0.7),
        [
            {"order": "lab.a < lab.b"},
            {"order": "lab.a[ok] < lab.b or lab.c", "per": "id"},
            {"order": "lab.a < lab.b", "per": "station"},
        ],
    ),
    "order of values": (
        Shape(lab=("lab.a", "lab.b"), evses=(1,), counters=True, most=8),
        [
            {"order": "lab.a n contiguous", "per": "station"},
            {"order": "lab.a n increasing", "per": "id"},
            {"order": "lab.a n unique", "per": "station"},
            {"order": "lab.a n constant", "per": "evse, id"},
        ],
    ),
    "cadence": (
        Shape(signals=("cp",), lab=("lab.a", "lab.b"), evses=(1,)),
        [
            {"cadence": "lab.a every 15 ms while cp.state C"},
            {"cadence": "lab.a every 10 ms while cp.state B|C", "tolerance": "50 %"},
            {"cadence": "lab.a apart 10 ms"},
            {"cadence": "lab.a apart 10 ms", "tolerance": "20 %", "per": "id"},
            {"cadence": "lab.a apart 8 ms while cp.state A|B"},
        ],
    ),
    "count": (
        Shape(signals=("cp",), lab=("lab.a", "lab.b"), evses=(1,)),
        [
            {"count": "lab.a <= 1 while cp.state B|C"},
            {"count": "lab.a >= 1 while cp.state C"},
            {"count": "lab.a <= 2"},
            {"count": "lab.a >= 2", "per": "id"},
            {"count": "lab.a <= 1 within 10 ms", "per": "station"},
            {"count": "lab.a <= 2 within 20 ms", "per": "id"},
        ],
    ),
}
