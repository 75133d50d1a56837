"""What stations tell of firmware and logs, kept, told to the timeline, and held against the order it must have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from ...timeline import Stamp
from ..dialect import Payload
from ..fields import integer, text
from ..service import Answers, Asked, Service
from .courses import IDLE, Course, Progress

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["FileStatus", "Subject"]

KEEP = 200
"""Requests whose progress is remembered."""
AGREED = frozenset({"Accepted", "AcceptedCanceled"})


class Subject(msgspec.Struct, frozen=True):
    """One kind of progress.

    - `action`: the message that tells it. `request`: the back end's request that begins it. `course`: its order.
    - `kind`: of a log; None: it is firmware.
    - `numbered`: whether messages carry a requestId; `needs_number`: the requirement that they must, or None.
    - `idle_after`: statuses after which the station answers Idle when it is asked, besides none at all;
      `idle_rule` says where that stands.
    """

    action: str
    request: str
    course: Course
    idle_after: frozenset[str]
    idle_rule: str
    kind: Literal["diagnostics", "log"] | None = None
    numbered: bool = False
    needs_number: str | None = None


class _Told:
    """What is known of one subject of one station."""

    __slots__ = ("excused", "known", "last", "refused", "subject")

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.last = ""
        self.known: dict[int | None, Progress] = {} if subject.numbered else {None: Progress(subject.course, None)}
        self.refused: dict[int | None, str] = {}
        self.excused = False


class _Ear:
    """What hears one subject of one station: 48 bytes, a fifth of what a function takes that remembers both."""

    __slots__ = ("service", "subject")

    def __init__(self, service: FileStatus, subject: Subject) -> None:
        self.service = service
        self.subject = subject

    def __call__(self, payload: Payload, how: Asked) -> Payload:
        return self.service.hear(self.subject, payload, how)


class FileStatus(Service):
    """The progress of firmware and logs of one station; `subjects` are those of its version.

    Every status is a fact (`ocpp.firmware`, `ocpp.log`), also one that is out of order: that is a violation beside.
    """

    def __init__(self, station: str, desk: Desk, subjects: Sequence[Subject]) -> None:
        super().__init__(station, desk)
        self._subjects = subjects
        self._told: dict[str, _Told] = {}

    def last(self, action: str, request_id: int | None = None) -> str | None:
        """The last status told by `action` for a request; None: none yet, or no such request."""
        told = self._told.get(action)
        progress = told.known.get(request_id) if told else None
        return (progress.last or None) if progress else None

    def answers(self) -> Answers:
        """Every status is answered by nothing."""
        return {subject.action: _Ear(self, subject) for subject in self._subjects}

    def asks(self, action: str, payload: Payload) -> None:
        """A request goes out: from now on the station may tell how far it is."""
        for told in self._of_request(action):
            number = integer(payload.get("requestId")) if told.subject.numbered else None
            before = told.known.pop(number, None)
            told.known[number] = Progress(told.subject.course)
            if not told.subject.numbered and before is not None and before.under_way:
                # Without a number nobody can tell what still belongs to the one before.
                told.known[number] = Progress(told.subject.course, None)
            told.refused.pop(number, None)
            while len(told.known) > KEEP:
                told.known.pop(next(iter(told.known)))

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """The station may refuse: then there is nothing to tell."""
        status = answer.get("status")
        if status is None or text(status) in AGREED:
            return
        for told in self._of_request(action):
            told.refused[integer(payload.get("requestId")) if told.subject.numbered else None] = text(status)

    def connected(self) -> None:
        """The station was away, or is new: it need not have kept what it could not tell."""
        for told in self._told.values():
            for progress in told.known.values():
                progress.gap()

    def _of(self, subject: Subject) -> _Told:
        """What is known of a subject; of most stations nothing ever is."""
        told = self._told.get(subject.action)
        if told is None:
            told = self._told[subject.action] = _Told(subject)
        return told

    def _of_request(self, action: str) -> list[_Told]:
        return [self._of(subject) for subject in self._subjects if subject.request == action]

    def hear(self, subject: Subject, payload: Payload, how: Asked) -> Payload:
        """A status was told. The station's word stands whatever it is answered, so it is taken here."""
        told, status, number = self._of(subject), text(payload.get("status")), integer(payload.get("requestId"))
        data = {"station": self.station, "status": status, "request_id": number, "via": subject.action}
        topic = "ocpp.firmware" if subject.kind is None else "ocpp.log"
        self.desk.source.emit(topic, how.stamp, data if subject.kind is None else {**data, "kind": subject.kind})
        if status == IDLE:
            self._idle(told, how)
        else:
            told.excused = told.excused or how.asked
            self._step(told, status, number, how)
            told.last = status
        if status == "Published" and not payload.get("location"):
            self._violation(told, how.stamp, "MissingLocation", "Published without a location (L03.FR.04)")
        return {}

    def _idle(self, told: _Told, how: Asked) -> None:
        # What was asked for may have crossed with a status of the station's own accord, which then counted as asked.
        excused, told.excused = told.excused, False
        if not (how.asked or excused):
            self._violation(told, how.stamp, "UnaskedStatus", "Idle is said only when it is asked for")
        elif how.asked and not excused and told.last and told.last not in told.subject.idle_after:
            why = f"Idle, though the last status was {told.last} ({told.subject.idle_rule})"
            self._violation(told, how.stamp, "StatusOrder", why)

    def _step(self, told: _Told, status: str, number: int | None, how: Asked) -> None:
        subject = told.subject
        if subject.numbered and number is None:
            # N01.FR.13: not when it was asked for and nothing is going on.
            quiet = how.asked and subject.kind is not None and told.last != "Uploading"
            if subject.needs_number is not None and not quiet:
                why = f"{status} without requestId ({subject.needs_number})"
                self._violation(told, how.stamp, "MissingRequestId", why)
            return
        progress = told.known.get(number if subject.numbered else None)
        if progress is None:
            why = f"{status} for request {number}, which this back end has not sent since it started"
            self._violation(told, how.stamp, "UnknownRequestId", why)
            told.known[number] = Progress(subject.course, status)
            return
        refused = told.refused.get(number if subject.numbered else None)
        if refused is not None and not progress.last:
            why = f"{status} for a {subject.request} that the station answered by {refused}"
            self._violation(told, how.stamp, "StatusOrder", why)
            progress.last = None
        wrong = progress.take(status)
        if wrong is not None:
            self._violation(told, how.stamp, "StatusOrder", wrong)

    def _violation(self, told: _Told, stamp: Stamp, code: str, why: str) -> None:
        data = {"station": self.station, "layer": "sequencing", "code": code, "text": why}
        self.desk.source.emit("ocpp.violation", stamp, {**data, "action": told.subject.action, "dir": "rx"})
