"""The emergency: every device on a thread of its own, phase after phase, each step until it is acknowledged.

A port that hangs holds up nobody: a phase waits for the one before it on the other ports only for
a moment. What must not be done with the supply on waits for the supply, and is left out when that fails.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from .plan import PHASES, Recipe, Step
from .wires import OpenWire, open_wire

__all__ = ["Outcome", "StepDone", "act", "verdict"]

ALL_WITHIN_S = 12.0
OPEN_WITHIN_S = 3.0
OPEN_AGAIN_S = 0.02
HOLD_S = {"request": 0.0, "pilot": 0.05, "supply": 0.1, "faults": 2.0}
"""How long a phase waits at most for the one before it on other ports. Faults come off with the supply off."""
KEPT = 65536
AT_OUTLET = ("request", "pilot")
"""Phases of devices that are at an outlet; a supply feeds them all."""


@dataclass
class StepDone:
    """One step. `ms` since the emergency began; `received` what came back last."""

    device: str
    phase: str
    note: str
    proves: str
    ok: bool
    attempts: int
    ms: float
    trouble: str = ""
    received: str = ""


@dataclass
class Outcome:
    """What was done. `safe`: every step was acknowledged and read back; `text` says it in words."""

    safe: bool
    text: str
    steps: list[StepDone]

    def to_dict(self) -> dict[str, object]:
        return {"safe": self.safe, "text": self.text, "steps": [asdict(step) for step in self.steps]}


class _Turns:
    """Who is through with which phase."""

    def __init__(self, devices: list[str]) -> None:
        self._open = {phase: set(devices) for phase in PHASES}
        self._failed_supply = False
        self._changed = threading.Condition()

    def wait(self, phase: str) -> None:
        """Until the phases before this one are over everywhere, or the moment is over."""
        before = PHASES[: PHASES.index(phase)]
        with self._changed:
            self._changed.wait_for(lambda: not any(self._open[name] for name in before), HOLD_S[phase])

    def through(self, device: str, phase: str) -> None:
        with self._changed:
            self._open[phase].discard(device)
            self._changed.notify_all()

    def supply_failed(self) -> None:
        with self._changed:
            self._failed_supply = True

    @property
    def supply_is_off(self) -> bool:
        with self._changed:
            return not self._failed_supply and not self._open["supply"]


def act(recipes: tuple[Recipe, ...]) -> Outcome:
    """Bring every device within reach to its safe state; returns after at most 12 s, whatever hangs."""
    began = time.monotonic()
    steps: list[StepDone] = []
    turns = _Turns([recipe.device for recipe in recipes])
    lines = {recipe.wire.address: threading.Lock() for recipe in recipes}
    threads = [
        threading.Thread(
            target=_Worker(recipe, turns, began, steps, lines[recipe.wire.address]).run, name=recipe.device, daemon=True
        )
        for recipe in recipes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, began + ALL_WITHIN_S - time.monotonic()))
    done = list(steps)
    told = {(step.device, step.note) for step in done}
    done += [
        StepDone(recipe.device, step.phase, step.note, step.proves, False, 0, ALL_WITHIN_S * 1000, "the port hangs")
        for recipe in recipes
        for step in recipe.steps
        if (recipe.device, step.note) not in told
    ]
    at = {recipe.device: recipe.evse for recipe in recipes for step in recipe.steps if step.phase in AT_OUTLET}
    return verdict(done, at)


def verdict(steps: list[StepDone], at: Mapping[str, int]) -> Outcome:
    """Safe is: everything acknowledged, and the output read dead by every device that can see it.

    `at`: the outlet of each device that is at one.
    """
    failed = [f"{step.device}: {step.note} ({step.trouble})" for step in steps if not step.ok]
    seen = [step for step in steps if step.proves == "output"]
    if failed:
        text = f"NOT SAFE: not acknowledged: {'; '.join(failed)}. Switch the supply off by hand, now."
        return Outcome(False, text, steps)
    if not seen:
        return Outcome(True, "everything acknowledged, output not observed", steps)
    unseen = sorted(set(at.values()) - {at.get(step.device) for step in seen})
    if unseen:
        where = ", ".join(map(str, unseen))
        text = f"everything acknowledged, output proven dead where it is seen, not observed at outlet {where}"
        return Outcome(True, text, steps)
    return Outcome(True, "safe: everything acknowledged, output proven dead", steps)


class _Worker:
    def __init__(
        self, recipe: Recipe, turns: _Turns, began: float, steps: list[StepDone], line: threading.Lock
    ) -> None:
        self._recipe = recipe
        self._turns = turns
        self._began = began
        self._steps = steps
        self._line = line
        """Two units on one segment must not talk at once, nor take each other's answers."""
        self._wire: OpenWire | None = None
        self._trouble = ""

    def run(self) -> None:
        """Open, flush, and go through the phases; a step that fails does not stop the next."""
        self._open()
        for phase in PHASES:
            mine = [step for step in self._recipe.steps if step.phase == phase]
            if mine:
                self._turns.wait(phase)
            for step in mine:
                done = self._step(step)
                self._steps.append(done)
                if phase == "supply" and not done.ok:
                    self._turns.supply_failed()
            self._turns.through(self._recipe.device, phase)

    def _open(self) -> None:
        deadline = time.monotonic() + OPEN_WITHIN_S
        while not self._opened() and time.monotonic() < deadline:
            time.sleep(OPEN_AGAIN_S)  # a port that comes back, or is still held; bounded by the deadline

    def _opened(self) -> bool:
        try:
            wire = open_wire(self._recipe.wire)
            wire.write(bytes.fromhex(self._recipe.flush_hex))
        except Exception as error:  # noqa: BLE001 - whatever a port does, the others and the report go on
            self._trouble = f"{self._recipe.wire.address} cannot be opened: {error}"
            return False
        self._wire = wire
        return True

    def _step(self, step: Step) -> StepDone:
        done = StepDone(self._recipe.device, step.phase, step.note, step.proves, False, 0, 0.0)
        if step.supply_off and not self._turns.supply_is_off:
            done.trouble = "left out: the supply is not known to be off"
        elif self._wire is None and not self._opened():
            done.trouble = self._trouble
        else:
            self._try(step, done)
        done.ms = round((time.monotonic() - self._began) * 1000, 3)
        return done

    def _try(self, step: Step, done: StepDone) -> None:
        data = bytes.fromhex(step.send_hex) if self._recipe.wire.kind != "can" else step.send_hex.encode("ascii")
        expect = None if step.expect is None else re.compile(step.expect, re.DOTALL)
        came = b""
        for _ in range(step.attempts):
            done.attempts += 1
            with self._line:
                came = self._once(step, data, expect, came, done)
            if done.ok:
                break
        done.received = came[-200:].decode("latin-1")

    def _once(self, step: Step, data: bytes, expect: re.Pattern[str] | None, came: bytes, done: StepDone) -> bytes:
        """Send it, and look for the answer for as long as it may take; returns what came so far."""
        deadline = time.monotonic() + step.within_ms / 1000
        try:
            wire = self._wire
            if wire is None:
                raise OSError(self._trouble)
            wire.write(data)
            while expect is not None and not expect.search(came.decode("latin-1")):
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    done.trouble = f"no such answer within {step.attempts} x {step.within_ms} ms"
                    return came
                came = (came + wire.read(left_s))[-KEPT:]
            done.ok, done.trouble = True, ""
        except Exception as error:  # noqa: BLE001 - whatever a port does, the others and the report go on
            done.trouble = str(error) or repr(error)
            time.sleep(max(0.0, min(OPEN_AGAIN_S, deadline - time.monotonic())))
            self._opened()
        return came
