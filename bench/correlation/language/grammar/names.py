"""What a sentence may name: signals, topics, limits; and how near misses are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....timeline import TOPICS, check_topic, did_you_mean, keys_of
from ..limits import Limit
from ..signals import CONFIG, SIGNALS, Signal, signal_named

__all__ = ["Names"]


class Names:
    """The names that hold for one pack; `used`, `used_signals`: the limits and own signals that were named."""

    def __init__(self, limits: Mapping[str, Limit], signals: Mapping[str, Signal] | None = None) -> None:
        self.limits = limits
        self.own = dict(signals or {})
        self.signals = {**SIGNALS, **self.own}
        self.used: dict[str, Limit] = {}
        self.used_signals: dict[str, Signal] = {}

    def signal(self, name: str) -> Signal:
        """Raises ValueError for a name that is no signal; says which is nearest."""
        if name in self.own:
            self.used_signals[name] = self.own[name]
        if name in self.signals or name.startswith(CONFIG):
            return signal_named(name, self.signals)
        raise ValueError(f"unknown signal {name!r}{did_you_mean(name, self.signals)}")

    def topics(self, name: str) -> tuple[str, ...]:
        """The topics that a name stands for; `a.b.*` is all below `a.b`."""
        if name.endswith(".*"):
            found = tuple(sorted(topic for topic in TOPICS if topic.startswith(name[:-1])))
            if not found:
                raise ValueError(f"no topic begins with {name[:-1]!r}")
            return found
        try:
            check_topic(name)
        except ValueError as error:
            hint = did_you_mean(name, {*TOPICS, *self.signals})
            raise ValueError(f"unknown signal or event {name!r}{hint}") from error
        return (name,)

    def key(self, topic: str, key: str) -> None:
        """Raises ValueError when no event of the topic has such a key."""
        known = keys_of(topic)
        if known is not None and key.partition(".")[0] not in known:
            raise ValueError(f"{topic} has no key {key!r}{did_you_mean(key, known)}; it has {', '.join(sorted(known))}")

    def limit(self, name: str) -> Limit:
        """Raises ValueError for a limit that no limits file defines."""
        if name not in self.limits:
            raise ValueError(f"unknown limit {name!r}{did_you_mean(name, self.limits)}")
        self.used[name] = self.limits[name]
        return self.limits[name]

    def value(self, signal: str, word: str) -> Any:
        """The value of a signal that a word stands for.

        Raises:
            ValueError: the signal has no such value, or is a number.
        """
        if signal.startswith(CONFIG):
            return word
        words = self.signal(signal).words
        if not words:
            raise ValueError(f"{signal} is a number; compare it with <= or >=")
        if word not in words:
            raise ValueError(f"{signal} is never {word!r}{did_you_mean(word, words)}; it is {', '.join(words)}")
        return words[word]
