"""`python -m pilotbench.bench.safety.guardian`: the plan on stdin, then the heartbeat; its words on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

from .act import act
from .owner import end_owner, hold_owner, is_gone
from .plan import read_plan
from .report import speak_for_owner, write_report
from .watch import Ended, watch
from .wires import load_libraries

__all__ = ["main"]

LAST_S = 20
"""The kernel ends this process so long after it began to act: it must never be left behind."""


def say(kind: str, **values: object) -> None:
    """One line to the owner, which may be gone or not read: then it is lost, and nothing waits."""
    try:
        os.write(1, json.dumps({"type": kind, **values}).encode() + b"\n")
    except OSError:
        return


def main() -> int:
    """Guard until the bench is closed; 0 after an orderly end or an emergency in which everything was acknowledged."""
    # The terminal's signals are the owner's business, and a hang-up is a reason to stay.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    try:
        plan = read_plan(_first_line())
    except (ValueError, TypeError, KeyError) as error:
        print(f"guardian: this is no plan: {error!r}", file=sys.stderr)
        return 2
    held = hold_owner(plan.owner)
    if held is None:
        return 0  # it is gone, and had not opened anything yet: it waits for this process first
    load_libraries(plan.recipes)
    os.set_blocking(1, False)
    say("ready")
    ended = watch(0, held, plan.dead_ms, say)
    if ended.orderly:
        return 0
    began_ns = time.monotonic_ns()
    signal.alarm(LAST_S)
    say("acting", why=ended.why)
    if plan.permission:
        # On a thread of its own: a disk that hangs must not hold up the safe state.
        threading.Thread(target=_disarm, args=(plan.permission,), daemon=True).start()
    gone, killed_ms = end_owner(held) if ended.kill else (True, 0.0)
    outcome = act(tuple(recipe for recipe in plan.recipes if recipe.reach != "none"))
    content = _content(ended, gone, killed_ms, began_ns) | outcome.to_dict()
    where = write_report(plan.report, content)
    say("ended", text=outcome.text, safe=outcome.safe, report=where)
    print(f"guardian: {ended.why}; {outcome.text}", file=sys.stderr)
    if plan.mouth is not None and is_gone(held):
        speak_for_owner(plan.mouth, ended.why, outcome.text, where)
    return 0 if outcome.safe else 1


def _disarm(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        print(f"guardian: the permission {path} cannot be taken away: {error}", file=sys.stderr)


def _content(ended: Ended, gone: bool, killed_ms: float, began_ns: int) -> dict[str, object]:
    return {
        "why": ended.why,
        "killed": ended.kill,
        "owner_gone": gone,
        "killed_ms": killed_ms,
        "began_ns": began_ns,
        "ended_ns": time.monotonic_ns(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _first_line() -> str:
    """The plan: unbuffered, so that what follows it stays in the pipe."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(0, 1)
        if not data:
            raise ValueError("the line ended before the plan did")
        line += data
    return line.decode()


if __name__ == "__main__":
    code = main()
    # Straight out: a port that hangs must not keep this process alive.
    try:
        sys.stderr.flush()
    finally:
        os._exit(code)
