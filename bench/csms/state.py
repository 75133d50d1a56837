"""What the back end must still know after a restart: transactions that run, ids used, stations seen, local lists.

One JSON file in the state directory, replaced atomically after each change. Measured values change nothing in it. A
file that cannot be read is moved aside, never overwritten; numbering then continues above every id that can have
been used. Transaction ids are the back end's own in 1.6, and each station's own in 2.x.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from ...errors import CsmsError

__all__ = ["CsmsState", "KeptList", "KeptReservation", "KeptTransaction", "LeftOpen", "OpenTransaction"]

FILE = "csms-state.json"
KEEP_CLOSED = 200
"""Transactions that have ended, remembered of 1.6 altogether, and of each 2.x station."""
KEEP_RUNNING = 200
"""Transactions of one station that may be open; beyond that the oldest is taken for one whose end was lost."""


class OpenTransaction(msgspec.Struct, omit_defaults=True):
    """A transaction as the station started it. `connector` counts from 1; `meter_wh` is decimal text."""

    station: str
    connector: int
    id_tag: str
    meter_wh: str
    claim: str
    ended: str | None = None


class KeptTransaction(msgspec.Struct, omit_defaults=True):
    """A transaction of a 2.x station, as far as it must outlive the back end.

    `claim`: when its station says it started, None when its start was not seen. `seq`: the highest number when this
    was written. `ended`: when its station says it ended. `id_tag`: left out for a key code.
    """

    evse: int | None = None
    connector: int | None = None
    id_tag: str | None = None
    id_type: str | None = None
    claim: str | None = None
    first: int | None = None
    seq: int | None = None
    remote_start_id: int | None = None
    reservation: int | None = None
    ended: str | None = None


class KeptList(msgspec.Struct, omit_defaults=True):
    """The local list of a station: its version, and its entries by their key, as they were sent."""

    version: int = 0
    entries: dict[str, dict[str, Any]] = {}


class KeptReservation(msgspec.Struct, omit_defaults=True):
    """A reservation that a station holds. `expires`: as it was asked for."""

    evse: int | None = None
    id_tag: str | None = None
    expires: str | None = None


class LeftOpen(msgspec.Struct, frozen=True):
    """A transaction whose end was never told: its id, outlet, token, and when the station says it began."""

    tx: int | str
    evse: int | None
    id_tag: str | None
    claim: str | None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: int = 1
    next_transaction: int = 1
    open: dict[str, OpenTransaction] = {}
    closed: dict[str, OpenTransaction] = {}
    stations: dict[str, dict[str, Any]] = {}
    running: dict[str, dict[str, KeptTransaction]] = {}
    ended: dict[str, dict[str, KeptTransaction]] = {}
    lists: dict[str, KeptList] = {}
    reservations: dict[str, dict[int, KeptReservation]] = {}


class CsmsState:
    """State of the back end, kept in `folder` (made when it is not there).

    `recovered` is None, or says that the file was unreadable, where it was moved, and what follows.

    Raises:
        CsmsError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.recovered: str | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._load()
            self._save()
        except OSError as exc:
            raise CsmsError(
                f"the state of the CSMS cannot be kept in {folder}: {exc.strerror or exc}. "
                "Give it a directory that can be written."
            ) from exc

    @property
    def open_transactions(self) -> dict[str, OpenTransaction]:
        """Transactions of 1.6 that were started and not stopped, by id as text."""
        return dict(self._file.open)

    def open_on(self, station: str, evse: int) -> int | str | None:
        """Id of the last transaction that runs on an outlet: a number in 1.6, text in 2.x; None: none is known."""
        own = [tx for tx, kept in self.running(station).items() if kept.evse == evse]
        if own:
            return own[-1]
        old = [tx for tx, known in self._file.open.items() if (known.station, known.connector) == (station, evse)]
        return int(old[-1]) if old else None

    def left_open(self, station: str) -> list[LeftOpen]:
        """Every transaction of a station that runs, or whose end was lost; the oldest first."""
        found = [
            LeftOpen(int(tx), known.connector, known.id_tag, known.claim)
            for tx, known in self._file.open.items()
            if known.station == station
        ]
        return found + [LeftOpen(tx, kept.evse, kept.id_tag, kept.claim) for tx, kept in self.running(station).items()]

    def give_up(self, station: str, tx: int | str) -> None:
        """A transaction is open no more, though its station never told its end."""
        if isinstance(tx, int):
            self.end(tx, "", station)
        else:
            kept = self.running(station).get(tx)
            if kept is not None:
                kept.ended = ""
                self.keep(station, tx, kept)

    def reservations(self, station: str) -> dict[int, KeptReservation]:
        """The reservations that a station holds, by their number."""
        return dict(self._file.reservations.get(station, {}))

    def keep_reservations(self, station: str, held: dict[int, KeptReservation]) -> None:
        """Note the reservations that a station holds."""
        if self._file.reservations.get(station, {}) != held:
            self._file.reservations[station] = held
            self._save()

    def holders(self, id_tag: str) -> list[tuple[str, str, int | None]]:
        """Station, transaction and outlet of every transaction that runs for an identifier."""
        wanted = id_tag.casefold()
        found: list[tuple[str, str, int | None]] = [
            (known.station, tx, known.connector)
            for tx, known in self._file.open.items()
            if known.id_tag.casefold() == wanted
        ]
        for station, running in self._file.running.items():
            found += [
                (station, tx, kept.evse)
                for tx, kept in running.items()
                if kept.id_tag is not None and kept.id_tag.casefold() == wanted
            ]
        return found

    def running(self, station: str) -> dict[str, KeptTransaction]:
        """Open transactions of a 2.x station, by the station's own id."""
        return self._file.running.get(station, {})

    def ended(self, station: str, tx: str) -> KeptTransaction | None:
        """A transaction of a 2.x station that has ended; None when it has not, or too long ago."""
        return self._file.ended.get(station, {}).get(tx)

    def keep(self, station: str, tx: str, kept: KeptTransaction) -> None:
        """Note what is known of a transaction of a 2.x station; with `ended` set it is over."""
        running = self._file.running.setdefault(station, {})
        if kept.ended is None:
            running[tx] = kept
            while len(running) > KEEP_RUNNING:
                running.pop(next(iter(running)))
        else:
            running.pop(tx, None)
            ended = self._file.ended.setdefault(station, {})
            ended[tx] = kept
            while len(ended) > KEEP_CLOSED:
                ended.pop(next(iter(ended)))
        self._save()

    def local_list(self, station: str) -> KeptList:
        """The local list a station has, as far as the back end knows."""
        return self._file.lists.get(station, KeptList())

    def keep_list(self, station: str, kept: KeptList) -> None:
        """Note the local list of a station."""
        if self._file.lists.get(station) != kept:
            self._file.lists[station] = kept
            self._save()

    def next_transaction_id(self) -> int:
        """A transaction id that was never used before, not even by an earlier run."""
        taken = self._file.next_transaction
        self._file.next_transaction = taken + 1
        self._save()
        return taken

    def same_start(self, start: OpenTransaction) -> int | None:
        """Id of a transaction that began with exactly this message: a station repeats it when the answer was lost."""
        return next((int(tx) for tx, known in self._file.open.items() if known == start), None)

    def begin(self, tx: int | str, start: OpenTransaction) -> None:
        """Note that a transaction runs."""
        self._file.open[str(tx)] = start
        own = [known for known, one in self._file.open.items() if one.station == start.station]
        for lost in own[: max(len(own) - KEEP_RUNNING, 0)]:
            del self._file.open[lost]
        self._save()

    def end(self, tx: int | str, claim: str, station: str) -> tuple[OpenTransaction | None, bool]:
        """Note that a transaction ended; returns it (None: unknown, an orphan) and whether this repeats its end.

        A transaction of another station than `station` is returned, and goes on.
        """
        known = self._file.open.get(str(tx))
        if known is None:
            known = self._file.closed.get(str(tx))
            return known, known is not None and known.ended == claim
        if known.station != station:
            return known, False
        del self._file.open[str(tx)]
        known.ended = claim
        self._file.closed[str(tx)] = known
        while len(self._file.closed) > KEEP_CLOSED:
            self._file.closed.pop(next(iter(self._file.closed)))
        self._save()
        return known, False

    def identity(self, station: str) -> dict[str, Any]:
        """What the station last said of itself; empty when it never did."""
        return dict(self._file.stations.get(station, {}))

    def seen(self, station: str, identity: dict[str, Any]) -> None:
        """Keep what a station says of itself."""
        if self._file.stations.get(station) != identity:
            self._file.stations[station] = identity
            self._save()

    def _load(self) -> _File:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return _File()
        try:
            file = msgspec.json.decode(raw, type=_File)
            if file.format != 1:
                raise ValueError(f"its format is {file.format}, known is 1")
        except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
            return self._recover(exc)
        return file

    def _recover(self, why: Exception) -> _File:
        aside = self.path.with_name(f"{FILE}.unreadable-{time.time_ns()}")
        self.path.replace(aside)
        # Seconds since 1970 lie above any count of transactions and fit the 32 bits that many stations have for an id.
        first = int(time.time())
        self.recovered = (
            f"the state file {self.path} could not be read ({why}); it was moved to {aside.name}, "
            f"transaction ids continue at {first}, open transactions of earlier runs are not known"
        )
        return _File(next_transaction=first)

    def _save(self) -> None:
        raw = msgspec.json.encode(self._file)
        fresh = self.path.with_name(f"{FILE}.new-{os.getpid()}")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(raw)
            fresh.replace(self.path)
        except OSError as exc:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise CsmsError(
                f"the state file {self.path} cannot be written: {exc.strerror or exc}. Free space or fix its rights."
            ) from exc
