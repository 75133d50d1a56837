"""Events of a transaction, with the same keys in every version."""

from __future__ import annotations

from typing import Any

from ..timeline import keys_of
from .dialect import Fact

__all__ = ["transaction_fact"]


def transaction_fact(topic: str, station: str, evse: int | None, **known: Any) -> Fact:
    """An event of the vocabulary whose every key is there; None where nothing is known.

    Raises:
        ValueError: the topic has no such key, or is not in the vocabulary.
    """
    keys = keys_of(topic) or ()
    strange = [key for key in known if key not in keys]
    if strange:
        raise ValueError(f"{topic} has no key {strange[0]!r}")
    return Fact(topic, {**dict.fromkeys(keys), "station": station, **known}, evse)
