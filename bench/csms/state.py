"""What the back end must still know after a restart: transaction ids, open transactions, stations seen.

One JSON file in the state directory, replaced atomically after each change. A file that cannot be
read is moved aside, never overwritten; numbering then continues above every id that can have been used.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from ...errors import CsmsError

__all__ = ["CsmsState", "OpenTransaction"]

FILE = "csms-state.json"
KEEP_CLOSED = 200


class OpenTransaction(msgspec.Struct, omit_defaults=True):
    """A transaction as the station started it. `connector` counts from 1; `meter_wh` is decimal text."""

    station: str
    connector: int
    id_tag: str
    meter_wh: str
    claim: str
    ended: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: int = 1
    next_transaction: int = 1
    open: dict[str, OpenTransaction] = {}
    closed: dict[str, OpenTransaction] = {}
    stations: dict[str, dict[str, Any]] = {}


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
        """Transactions that were started and not stopped, by id as text."""
        return dict(self._file.open)

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
        self._save()

    def end(self, tx: int | str, claim: str) -> tuple[OpenTransaction | None, bool]:
        """Note that a transaction ended; returns it (None: unknown, an orphan) and whether this repeats its end."""
        known = self._file.open.pop(str(tx), None)
        if known is None:
            known = self._file.closed.get(str(tx))
            return known, known is not None and known.ended == claim
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
