"""Contract certificates for vehicles, as EXI streams that were made elsewhere (M01, M02).

The answer that a vehicle wants is signed by its operator inside an EXI stream; that cannot be made here. A test that
has such streams gives them; without any the request fails, and says so.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from ....errors import CsmsError

__all__ = ["Offers"]

LONGEST = 17_000
"""Characters of exiResponse in 2.1 (7500 in 2.0.1: what is longer breaks its schema, and sent)."""


class Offers:
    """EXI streams by station; None: for every station that has none of its own."""

    def __init__(self) -> None:
        self._streams: dict[str | None, tuple[str, ...]] = {}

    def set(self, responses: Sequence[str | bytes], station: str | None = None) -> None:
        """Give these from now on: bytes, or text in Base64; several are the contracts of one vehicle (ISO 15118-20).

        Raises:
            CsmsError: a text is not Base64, or a stream is too long.
        """
        self._streams[station] = tuple(_coded(one) for one in responses)

    def of(self, station: str) -> tuple[str, ...]:
        """What a vehicle at this station gets, in Base64."""
        return self._streams.get(station) or self._streams.get(None) or ()


def _coded(stream: str | bytes) -> str:
    if isinstance(stream, bytes):
        coded = base64.b64encode(stream).decode()
    else:
        coded = stream
        try:
            base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise CsmsError(f"the EXI stream {coded[:40]!r} is not Base64: {exc}. Give its bytes instead.") from exc
    if len(coded) > LONGEST:
        raise CsmsError(f"the EXI stream has {len(coded)} characters in Base64; exiResponse takes {LONGEST}.")
    return coded
