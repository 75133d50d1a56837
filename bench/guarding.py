"""The guardian of a run: recipes for every device that can energise, a heartbeat, and what follows its death."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ..drivers.emergency import EmergencyRecipe
from ..errors import SafetyError
from .assembly import Bench
from .safety.arming import Arming
from .safety.guard import HEARTBEAT_S, Guard, Guarded

if TYPE_CHECKING:
    from ..drivers.base import Driver

__all__ = ["guardian_recipes", "start_guardian", "stop_guardian"]

SILENT_S = 5.0
"""A guardian says every second that it is alive; one that says nothing for so long is as good as dead."""
REPORT = "guardian.json"


def guardian_recipes(bench: Bench) -> tuple[list[EmergencyRecipe], list[str]]:
    """The recipes of all energising devices, and what is out of the guardian's reach."""
    recipes: list[EmergencyRecipe] = []
    beyond: list[str] = []
    for driver in bench.instruments:
        recipe = driver.emergency()
        if recipe is None:
            if driver.energising:
                beyond.append(f"{driver.name}: its driver has no emergency recipe")
            continue
        recipes.append(msgspec.structs.replace(recipe, evse=driver.evse))
        if recipe.reach != "local":
            beyond.append(f"{driver.name}: {recipe.why or 'only its driver reaches it'}")
    return recipes, beyond


async def start_guardian(bench: Bench) -> None:
    """Start it and hand it the recipes; call it before any port is opened. Without energising devices there is none.

    When it is lost later, the event of it trips the supervisor, which makes the bench safe; nothing more is done.

    Raises:
        SafetyError: it cannot be started.
    """
    # Compiling may read files and import libraries: the loop must not wait for it.
    recipes, beyond = await asyncio.to_thread(guardian_recipes, bench)
    note = bench.timeline.bench.note
    if not recipes:
        note("guardian", {"state": "not-needed", "detail": "; ".join(beyond) or "no device can energise"})
        return

    def tell(message: dict[str, Any]) -> None:
        guarded = bench.guarded
        if guarded is not None:
            guarded.heard_s = time.monotonic()
        match message.get("type"):
            case "late":
                note("guardian", {"state": "late", "detail": f"no heartbeat for {message.get('silent_ms')} ms"})
            case "acting":
                note("guardian", {"state": "acting", "detail": str(message.get("why"))})
            case "ended":
                note("guardian", {"state": "ended", "detail": str(message.get("text"))})
                if guarded is not None:
                    guarded.acted = str(message.get("text"))
            case _:
                return

    def lost(why: str) -> None:
        _lost(bench, why)

    guard = Guard(bench.work / "guardian.log", tell, lost)
    guarded = bench.guarded = Guarded(guard, time.monotonic())
    arming = bench.gate.permission
    permission = arming.path if isinstance(arming, Arming) else None
    await guard.take(recipes, bench.options.directory / REPORT, permission)
    detail = f"watches over {', '.join(recipe.device for recipe in recipes)}"
    if beyond:
        detail += f"; out of its reach, their own watchdog is the only net: {'; '.join(beyond)}"
    note("guardian", {"state": "started", "detail": detail})
    guarded.heard_s = time.monotonic()
    guarded.beat = asyncio.create_task(_beat(bench, guarded, lost), name="guardian heartbeat")


async def stop_guardian(bench: Bench, act: str = "") -> None:
    """Tell it that the bench is closed; call it when every port is free again.

    `act`: the safe state is not proven, for this reason; the guardian tries it once more on its own.

    Raises:
        SafetyError: it had been lost, or did not end.
    """
    guarded = bench.guarded
    if guarded is None:
        return
    try:
        if guarded.beat is not None:
            guarded.beat.cancel()
        await guarded.guard.end(act)
    finally:
        bench.guarded, bench.acted = None, guarded.acted
    if guarded.trouble is not None:
        raise guarded.trouble
    if not act:
        bench.timeline.bench.note("guardian", {"state": "ended", "detail": "the bench is closed"})


async def _beat(bench: Bench, guarded: Guarded, lost: Callable[[str], None]) -> None:
    """On the loop itself, so that a loop that hangs sends nothing. Threads of devices are vouched for by their age."""
    due = time.monotonic()
    while guarded.guard.running:
        now_ns = time.monotonic_ns()
        guarded.guard.beat(max((now_ns - beat for beat in _beats(bench.instruments)), default=0))
        if time.monotonic() - guarded.heard_s > SILENT_S:
            lost(f"the guardian has said nothing for {SILENT_S:g} s: it hangs")
            return
        due = max(due + HEARTBEAT_S, time.monotonic())
        await asyncio.sleep(due - time.monotonic())


def _beats(instruments: list[Driver]) -> list[int]:
    return [max(0, beat) for driver in instruments if driver.energising and (beat := driver.beat_ns) is not None]


def _lost(bench: Bench, why: str) -> None:
    guarded = bench.guarded
    if guarded is None or guarded.trouble is not None:
        return
    guarded.trouble = SafetyError(f"{why} A bench is not run without its guardian: it was made safe. Run again.")
    # The supervisor hears of it first: a sealed gate would be to it a bench that is being made safe already.
    bench.timeline.bench.note("guardian", {"state": "lost", "detail": why})
    bench.gate.seal("the guardian of this run is gone, and nothing more is done without it. Start a new run")
