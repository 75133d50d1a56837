"""Whether the machine lets this process run: a thread that looks at the clock, and writes down when it came late."""

from __future__ import annotations

import threading
import time
from types import TracebackType

__all__ = ["Stillness"]

TICK_S = 0.01
LATE_NS = 20_000_000


class Stillness:
    """While it is entered it fills `spans`, from and to in ns of the monotonic clock."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stillness", daemon=True)

    def __enter__(self) -> Stillness:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        due_ns = time.monotonic_ns()
        while not self._over.wait(TICK_S):
            now_ns = time.monotonic_ns()
            due_ns += round(TICK_S * 1e9)
            if now_ns - due_ns > LATE_NS:
                self.spans.append((due_ns, now_ns))
            due_ns = now_ns
