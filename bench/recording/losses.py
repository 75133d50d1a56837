"""What the recorder could not take, and how that is said."""

from __future__ import annotations

from ..timeline import Event

__all__ = ["Losses"]


class Losses:
    """Counts events that found the queue full, per source, with their range."""

    def __init__(self) -> None:
        self.count = 0
        self.from_ns = 0
        self.to_ns = 0
        self._sources: dict[str, tuple[int, int, int]] = {}

    def add(self, event: Event) -> None:
        """One more event was lost."""
        order_ns = event.stamp.order_ns
        self.from_ns = order_ns if self.count == 0 else min(self.from_ns, order_ns)
        self.to_ns = order_ns if self.count == 0 else max(self.to_ns, order_ns)
        first, last, n = self._sources.get(event.source, (event.seq, event.seq, 0))
        self._sources[event.source] = (min(first, event.seq), max(last, event.seq), n + 1)
        self.count += 1

    def text(self) -> str:
        """Names what was lost, e.g. `3 events (meter#7 to meter#9)`."""
        parts: list[str] = []
        for source, (first, last, n) in self._sources.items():
            if first == last:
                parts.append(f"{source}#{first}")
                continue
            several = "" if n == last - first + 1 else f", {n} of them"
            parts.append(f"{source}#{first} to {source}#{last}{several}")
        return f"{self.count} event{'' if self.count == 1 else 's'} ({'; '.join(parts)})"
