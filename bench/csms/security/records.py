"""What the back end must still know of each station's credentials after a restart: one private JSON file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ....errors import CsmsError
from .private_files import read_private, write_private
from .secret import Hashed

__all__ = ["Record", "Records"]

FILE = "stations.json"


class Record(msgspec.Struct, omit_defaults=True):
    """One station.

    - `current`: the password set through OCPP; None: the one of the bench file holds.
    - `proposed`: passwords that were sent to it, and whose answer is not known. `previous`: the one before `current`,
      until `current` was used.
    - `given`: what the bench file said when `current` was set.
    - `announced`: the security profile it agreed to change to. `reached`: it has used it since.
    """

    current: Hashed | None = None
    proposed: list[Hashed] = []
    previous: Hashed | None = None
    given: Hashed | None = None
    announced: int | None = None
    reached: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: int = 1
    stations: dict[str, Record] = {}


class Records:
    """The records in `folder`; read at once, written after each change.

    Raises:
        CsmsError: the file cannot be read or understood, or others may read it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            self._file = msgspec.json.decode(read_private(self.path), type=_File)
        except FileNotFoundError:
            self._file = _File()
        except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
            raise CsmsError(
                f"{self.path}, the passwords set through OCPP, cannot be understood ({exc}). Restore it, or move it "
                "away: the passwords of the bench file then hold again."
            ) from exc

    def of(self, station: str) -> Record:
        """The record of a station; an empty one, not kept, when there is none."""
        return self._file.stations.get(station) or Record()

    def keep(self, station: str, record: Record) -> None:
        """Put a record in place and on disk."""
        if record == Record():
            if self._file.stations.pop(station, None) is None:
                return
        else:
            self._file.stations[station] = record
        write_private(self.path, msgspec.json.encode(self._file))
