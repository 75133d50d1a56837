"""The station, its outlet and its owner put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..emulators.owner import Owner
from ..emulators.settings import DutPortSettings
from ..station.app import Station
from ..station.faults import FAULTS, ODDITIES, knobs_of, meaningless
from ..station.port import DutPort, StationError, wait_for_port_file
from .bay import Bay
from .play import play_session

__all__ = ["SoloSettings", "run"]


@dataclass(frozen=True)
class SoloSettings:
    """The configuration; `session` is the card of a session that is played by itself."""

    url: str
    ocpp: str = "1.6"
    password: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    odd: list[str] = field(default_factory=list[str])
    seed: int = 1
    session: str | None = None

    @property
    def station(self) -> str:
        """The station's name: the last part of the URL."""
        return unquote(self.url.rsplit("/", 1)[-1])


async def run(settings: SoloSettings, folder: Path) -> int:
    """Until the owner goes, says `quit`, or the session has been played; returns the exit code.

    Raises:
        StationError: a fault that is unknown or has no meaning here, or the port cannot be used.
    """
    unknown = [name for name in settings.odd if name not in FAULTS and name not in ODDITIES]
    if unknown:
        raise StationError(f"no fault or oddity is called {unknown[0]}; there are {', '.join([*FAULTS, *ODDITIES])}")
    why = meaningless(settings.odd, settings.ocpp)
    if why is not None:
        raise StationError(why)
    over = asyncio.Event()
    commands: asyncio.Queue[str] = asyncio.Queue()
    owner = Owner(
        asyncio.get_running_loop(), lambda message: commands.put_nowait(str(message.get("text", ""))), over.set
    )

    def tell(text: str) -> None:
        owner.say("line", text=text)

    port = DutPortSettings(settings.station, settings.url, settings.password, settings.ocpp)
    bay = Bay(settings.seed, port, tell)
    file = await wait_for_port_file(await bay.start(folder), 1.0)
    file = replace(file, ca=_path(settings.ca), cert=_path(settings.cert), key=_path(settings.key))
    wire = await DutPort.connect(file)
    odd = knobs_of(*settings.odd)
    station = Station(file, wire, wire.welcome.result(), odd, settings.seed, boots=True, tell=tell)
    station.power_on()
    wire.listen(station)
    owner.listen()
    ends: list[asyncio.Task[Any]] = [
        asyncio.create_task(over.wait(), name="solo.owner"),
        asyncio.create_task(_obey(commands, bay, tell), name="solo.commands"),
    ]
    play: asyncio.Task[bool] | None = None
    if settings.session is not None:
        play = asyncio.create_task(play_session(station, bay, settings.session, tell), name="solo.session")
        ends.append(play)
    await asyncio.wait(ends, return_when="FIRST_COMPLETED")
    await station.leave()
    wire.close()
    bay.close()
    for task in ends:
        task.cancel()
    tell("the station has left")
    if play is None or not play.done() or play.cancelled():
        return 0 if play is None or over.is_set() else 1
    return 0 if play.result() else 1


async def _obey(commands: asyncio.Queue[str], bay: Bay, tell: Callable[[str], None]) -> None:
    """Carry out commands until `quit`."""
    words: dict[str, Callable[[], None]] = {
        "plug": bay.plug,
        "unplug": bay.unplug,
        "charge": bay.charge,
        "pause": bay.pause,
        "mains off": lambda: bay.mains(False),
        "mains on": lambda: bay.mains(True),
    }
    while True:
        text = " ".join((await commands.get()).split())
        command, _, argument = text.partition(" ")
        if text == "quit":
            return
        if command == "card" and argument:
            bay.card(argument)
        elif text in words:
            words[text]()
        elif text:
            tell(f"not understood: {text!r}; there are plug, card ID, charge, pause, unplug, mains off|on and quit")


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
