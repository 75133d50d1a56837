"""The recorder: every event of a timeline into one MCAP file, by a thread of its own.

The loop only appends to a bounded queue. The thread drains it in batches, so a busy disk never
holds up the bench; what finds the queue full is counted, named, and told as a gap.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from ...errors import RecordingError
from ..timeline import Event, Timeline
from ..timeline.credentials import Redactor
from .encode import encode_events
from .losses import Losses
from .mcap_file import McapFile

__all__ = ["QUEUE_EVENTS", "Recorder", "wall_anchor"]

QUEUE_EVENTS = 50_000
"""Most events that wait for the disk; at 1000 a second that is a stall of 50 s."""
BATCH_S = 0.01
"""How long events wait for the disk: what has gathered in a longer time holds up the answers of a busy back end at one
stretch, by several milliseconds."""
FLUSH_NS = 10**9
ANCHOR_NS = 3600 * 10**9
TOGETHER = 64
"""Events that are encoded and looked through at once."""
BEHIND = 10_000
"""So many events wait only for a recorder that has been held up: it must catch up, or some will be lost."""


def wall_anchor() -> tuple[int, int]:
    """The bench clock and the wall clock at one instant, in nanoseconds, from the tightest of five readings."""
    best: tuple[int, int, int] | None = None
    for _ in range(5):
        before = time.monotonic_ns()
        wall = time.time_ns()
        width = time.monotonic_ns() - before
        if best is None or width < best[0]:
            best = (width, before + width // 2, wall)
    assert best is not None
    return best[1], best[2]


class Recorder:
    """Writes the events of `timeline`, from the oldest in memory on, to `path` (mode 0600, must not exist yet).

    - `attachments`: name -> content, written before the first event; credentials are replaced.
    - `redactor`: knows the secrets of the bench; without one only their usual places are found.
    - `queue_events`: bound of the queue.

    `start` and `close` are called on the bench loop. A killed process loses at most the last second.
    """

    def __init__(
        self,
        path: Path,
        timeline: Timeline,
        attachments: Mapping[str, bytes],
        *,
        redactor: Redactor | None = None,
        queue_events: int = QUEUE_EVENTS,
    ) -> None:
        self.path = path
        self.redactor = Redactor() if redactor is None else redactor
        self.lost = 0
        self.written = 0
        self._timeline = timeline
        self._attachments = attachments
        self._final: Mapping[str, bytes] = {}
        self._queue: deque[Event] = deque()
        self._bound = queue_events
        self._losses = Losses()
        self._report_pending = False
        self._wake = threading.Event()
        self._stopping = False
        self._closed = False
        self._failure: Exception | None = None
        self._next_anchor_ns = 0

    @property
    def failed(self) -> str | None:
        """Why nothing is written any more, or None."""
        return None if self._failure is None else str(self._failure)

    def start(self) -> None:
        """Create the file, write the attachments, and record from now on.

        Raises:
            RecordingError: the file exists or cannot be written.
        """
        self._loop = asyncio.get_running_loop()
        self._source = self._timeline.source("recorder")
        mono_ns, wall_ns = wall_anchor()
        self._file = McapFile(self.path, anchor_mono_ns=mono_ns, anchor_wall_ns=wall_ns)
        try:
            for name, data in self._attachments.items():
                self._file.attach(name, self.redactor.blob(data), mono_ns)
            self._file.flush()
        except OSError as error:
            self._file.close()
            raise self._error(error) from error
        self._queue.extend(self._timeline.events())
        self._unsubscribe = self._timeline.subscribe(self._take)
        self._anchor(mono_ns, wall_ns)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    async def close(self, final: Mapping[str, bytes] | None = None) -> None:
        """Write everything that waits, then `final` as the last attachments, then the footer.

        A second call does nothing.

        Raises:
            RecordingError: a write failed, now or earlier; what was written before is readable.
        """
        if self._closed:
            return
        self._closed = True
        self.tell_losses()
        self._unsubscribe()
        self._final = {} if final is None else final
        self._stopping = True
        self._wake.set()
        await self._loop.run_in_executor(None, self._thread.join)
        if self._failure is not None:
            raise self._error(self._failure) from self._failure

    # On the loop.

    def _take(self, event: Event) -> None:
        if self._failure is not None:
            return
        waiting = len(self._queue)
        # What the recorder itself has to say is never refused: it is little, and it names the losses.
        if waiting >= self._bound and event.source != self._source.name:
            self._losses.add(event)
            self.lost += 1
            self._wake.set()
            return
        self._queue.append(event)
        if waiting * 2 == self._bound:
            self._wake.set()

    def _anchor(self, mono_ns: int, wall_ns: int) -> None:
        self._next_anchor_ns = mono_ns + ANCHOR_NS
        self._source.note("clock.anchor", {"mono_ns": mono_ns, "wall_ns": wall_ns})

    def _again(self) -> None:
        self._report_pending = False
        if self._closed:
            return
        # Told while the queue is still full, the next event would be lost as well; the thread asks again.
        if len(self._queue) * 2 <= self._bound:
            self.tell_losses()
        if time.monotonic_ns() >= self._next_anchor_ns:
            self._anchor(*wall_anchor())

    def tell_losses(self) -> None:
        """Say what was lost so far as a gap, so that whoever judges this run lacks what its recording lacks."""
        if self._losses.count == 0:
            return
        losses, self._losses = self._losses, Losses()
        self._source.gap(losses.from_ns, losses.to_ns, f"the recorder's queue was full: lost {losses.text()}")

    def _tell_failure(self) -> None:
        if not self._closed:
            self._unsubscribe()
            why = str(self._error(self._failure)) if self._failure is not None else ""
            self._source.note("device.state", {"device": "recorder", "state": "FAULTED", "why": why})

    # On the recorder's thread.

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception as error:  # noqa: BLE001 - a thread that dies must say so, whatever killed it
            self._failure = error
            self._queue.clear()
            self._call(self._tell_failure)
        finally:
            self._file.close()

    def _write_all(self) -> None:
        next_flush_ns = time.monotonic_ns() + FLUSH_NS
        while True:
            self._wake.wait(BATCH_S)
            self._wake.clear()
            stopping = self._stopping
            left = len(self._queue)
            while left:
                some = [self._queue.popleft() for _ in range(min(left, TOGETHER))]
                left -= len(some)
                for event, payload in zip(some, encode_events(some, self.redactor), strict=True):
                    self._file.add(event, payload)
                self.written += len(some)
                # Let the loop have the interpreter: otherwise it waits 5 ms for it after every write to a socket. More
                # often would be too often: a busy loop gives it up twice a message, and a message is many events. And
                # not when far behind: on a loaded machine whoever sleeps is woken milliseconds later, and never catches
                # up.
                if left < BEHIND:
                    time.sleep(0)
                if time.monotonic_ns() >= next_flush_ns:
                    break
            now_ns = time.monotonic_ns()
            if now_ns >= next_flush_ns:
                self._file.flush()
                next_flush_ns = now_ns + FLUSH_NS
            if (self._losses.count or now_ns >= self._next_anchor_ns) and not self._report_pending:
                self._report_pending = True
                self._call(self._again)
            if stopping and not self._queue:
                break
            if self._queue:
                self._wake.set()
        for name, data in self._final.items():
            self._file.attach(name, self.redactor.blob(data), time.monotonic_ns())
        self._file.finish()

    def _call(self, what: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:
            # The loop is closed: close() finds the failure, if there is one.
            pass

    def _error(self, error: Exception) -> RecordingError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"{error}"
        return RecordingError(
            f"the recording could not be written on ({reason}). The events up to then are readable. "
            "Make room on the disk and run again.",
            file=str(self.path),
        )
