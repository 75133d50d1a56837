"""The page docs/ocpp-coverage.md, made from the services, adapters and verbs that the versions list.

python tests/support/ocpp_coverage.py        writes the page anew
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pilotbench.bench.csms import Csms, CsmsState
from pilotbench.bench.csms.versions import DIALECTS
from pilotbench.bench.timeline import Timeline, new_loop

from schema_directions import FROM_STATION, SENDS, from_csms

PAGE = Path(__file__).parents[2] / "docs" / "ocpp-coverage.md"
SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
DEFAULT = "default and recorded"
RAW = "raw call"
HEAD = """# Which OCPP messages have behaviour

This page is written by `python tests/support/ocpp_coverage.py` from what the three versions list; a test holds it and
the program together. Every message is checked against its schema in both directions and stands on the timeline as
`ocpp.frame` and `ocpp.call`, `ocpp.result` or `ocpp.error`, whatever this page says of it. That is proved by
`make test` (each action of each version over the wire, least, most, and one constraint broken at a time), `make fuzz`
(a million mutated frames per version; `SEED=7` repeats a run), `make long` (100,000 receive stamps against the
sender's clock) and measured by `make bench`.

**What a station asks**

- *behaviour*: the back end does something about it. In brackets the parts that answer it, keep what it says, or turn
  it into events.
- *default and recorded*: it is answered by the least that its response schema asks for, and nothing follows.
- *never answered*: a SEND of 2.1.

**What the back end asks**

- the verb that sends it, see [verbs](verbs.md);
- *of itself* (part): the back end sends it without being told to;
- *raw call*: only `csms.call(action, payload)` sends it. Its answer is checked and recorded too.
"""


class Gateless:
    def permit(self, stimulus: object) -> None:
        return


class Version(NamedTuple):
    """What one version lists."""

    answers: dict[str, str]
    parts: list[type]
    adapter: type
    verbs: type


def version(name: str) -> Version:
    """The services (made for one station), the adapter and the verbs of a version."""
    loop, selector = new_loop()
    loop.close()
    with tempfile.TemporaryDirectory() as folder:
        csms = Csms(Timeline(), Gateless(), selector, state=CsmsState(Path(folder)))
        dialect = DIALECTS[SUBPROTOCOLS[name]]()
        services = dialect.behaviour("CP1", csms._desk).services  # pyright: ignore[reportPrivateUsage]
    answers = {action: type(service).__name__ for service in services for action in service.answers()}
    verbs: Any = dialect.verbs
    return Version(answers, [type(service) for service in services], type(dialect.adapter("CP1")), verbs)


def words(kind: type, methods: Iterable[str] = ()) -> set[str]:
    """Texts that stand in the code of a class and its bases: in all of it, or in some methods and what they use.

    What they use: names of the module, by the texts of their definitions, and hidden methods of the class.
    """
    found: set[str] = set()
    chosen = set(methods)
    while chosen and (more := _hidden(kind, chosen) - chosen):
        chosen |= more
    for base in kind.__mro__:
        if not base.__module__.startswith("pilotbench.bench.csms") or base.__name__ in ("Service", "Protocol"):
            continue
        module = sys.modules[base.__module__]
        tree = _tree(module)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == base.__name__:
                for part in node.body:
                    name = getattr(part, "name", None)
                    if not chosen or name in chosen:
                        found |= _texts(part, module, tree)
    return found


@functools.cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _hidden(kind: type, methods: set[str]) -> set[str]:
    """Hidden methods that some methods of a class use."""
    used: set[str] = set()
    for name in methods:
        made = getattr(kind, name, None)
        code = getattr(inspect.unwrap(made), "__code__", None) if made is not None else None
        used |= {one for one in (code.co_names if code else ()) if one.startswith("_") and hasattr(kind, one)}
    return used


def _texts(node: ast.AST, module: ModuleType, tree: ast.Module, depth: int = 0) -> set[str]:
    found = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    if depth < 3:
        used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        for other in tree.body:
            named = {getattr(other, "name", None)}
            if isinstance(other, ast.Assign):
                named = {target.id for target in other.targets if isinstance(target, ast.Name)}
            elif isinstance(other, ast.AnnAssign) and isinstance(other.target, ast.Name):
                named = {other.target.id}
            if named & used and other is not node and not isinstance(other, ast.ClassDef):
                found |= _texts(other, module, tree, depth + 1)
    return found


ASKED = ("answers", "settled", "follow", "heard", "replied", "boot_facts", "identity")
"""Where services and adapters look at what a station asks."""


def station_cells(name: str, one: Version) -> dict[str, str]:
    """For each action of a station: what the back end does about it."""
    noted = {kind.__name__: words(kind, ASKED) for kind in one.parts}
    told = words(one.adapter, ASKED)
    cells: dict[str, str] = {}
    for action in (*FROM_STATION[name], *SENDS[name]):
        by = [one.answers[action]] if action in one.answers else []
        by += [part for part, texts in noted.items() if action in texts and part not in by]
        by += ["events"] if action in told else []
        text = f"behaviour ({', '.join(by)})" if by else DEFAULT
        cells[action] = f"never answered; {text}" if action in SENDS[name] else text
    return cells


def csms_cells(name: str, one: Version) -> dict[str, str]:
    """For each action of the back end: what sends it."""
    verbs: dict[str, set[str]] = {}
    for method, made in inspect.getmembers(one.verbs, inspect.isfunction):
        if not method.startswith("_") and made.__module__.startswith("pilotbench.bench.csms.v"):
            verbs[method] = words(one.verbs, [method])
    sent = {kind.__name__: words(kind) for kind in one.parts}
    cells: dict[str, str] = {}
    for action in from_csms(name):
        by = sorted(f"`{verb}`" for verb, texts in verbs.items() if action in texts)
        own = [part for part, texts in sent.items() if action in texts and _sends(one, part, action)]
        text = ", ".join(by)
        if own:
            text = f"{text}; of itself ({', '.join(own)})" if text else f"of itself ({', '.join(own)})"
        cells[action] = text or RAW
    return cells


def _sends(one: Version, part: str, action: str) -> bool:
    """Whether a service calls something (`ask`, `call`) with the action as an argument."""
    kind = next(kind for kind in one.parts if kind.__name__ == part)
    for base in kind.__mro__:
        if not base.__module__.startswith("pilotbench.bench.csms"):
            continue
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[base.__module__]))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("ask", "call")
            ):
                given = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                if action in given:
                    return True
    return False


def _table(cells: dict[str, dict[str, str]]) -> list[str]:
    actions = sorted({action for column in cells.values() for action in column})
    lines = [f"| Action | {' | '.join(cells)} |", f"|---{'|---' * len(cells)}|"]
    for action in actions:
        lines.append(f"| {action} | {' | '.join(column.get(action, '') for column in cells.values())} |")
    return lines


def page() -> str:
    """The page as it has to be."""
    versions = {name: version(name) for name in SUBPROTOCOLS}
    asked = {name: station_cells(name, one) for name, one in versions.items()}
    sent = {name: csms_cells(name, one) for name, one in versions.items()}
    lines = [HEAD, "## In figures", ""]
    lines += ["| | 1.6 | 2.0.1 | 2.1 |", "|---|---|---|---|"]
    counts = {name: Counter(DEFAULT in text for text in column.values()) for name, column in asked.items()}
    raw = {name: Counter(text == RAW for text in column.values()) for name, column in sent.items()}
    rows = {
        "asked by a station": [len(asked[name]) for name in asked],
        "behaviour": [counts[name][False] for name in asked],
        DEFAULT: [counts[name][True] for name in asked],
        "asked by the back end": [len(sent[name]) for name in sent],
        "by a verb, or of itself": [raw[name][False] for name in sent],
        RAW: [raw[name][True] for name in sent],
    }
    lines += [f"| {label} | {' | '.join(map(str, figures))} |" for label, figures in rows.items()]
    lines += ["", "## What a station asks", "", *_table(asked)]
    lines += ["", "## What the back end asks", "", *_table(sent), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
