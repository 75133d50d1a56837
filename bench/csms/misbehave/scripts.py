"""Scripts: what the back end shall do with the next requests of an action, said word by word.

::

    csms.on("BootNotification").reply({"status": "Pending", ...}).times(2)
    csms.on("StopTransaction").delay("2 s").error("InternalError", "out of order")
    csms.on("Heartbeat", station="CP1").silence().always()
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from websockets.frames import EXTERNAL_CLOSE_CODES

from ....errors import CsmsError
from ...timeline import did_you_mean
from ..rpc import CODES_2X, CODES_16
from .plan import Handler, Plan
from .units import seconds

__all__ = ["Script", "Scripts"]

LONGEST_DELAY_S = 3600.0
CODES = frozenset((*CODES_16.values(), *CODES_2X.values()))


class Script:
    """What happens to the next requests of one action, of any station or of one.

    Words combine (`.delay("2 s").error(...)`); each returns the script. One request is treated so
    unless `times` or `always` says otherwise. It does nothing as long as no word was said. The
    words may be said in any thread: each replaces the whole plan at once, and a request that comes
    between two words meets those said so far. Build it whole and `Scripts.install` it, where that matters.

    Raises (every word):
        CsmsError: the word contradicts an earlier one, or its value is none; says what to write.
    """

    def __init__(self, action: str, station: str | None = None) -> None:
        self.action = action
        self.station = station
        self.plan = Plan()
        self._times: int | None = 1
        self._used = 0
        self._cancelled = False

    def __repr__(self) -> str:
        return f"<script on {self.action}: used {self._used} of {self._times or 'any number of'} times>"

    @property
    def used(self) -> int:
        """Requests that were treated so."""
        return self._used

    @property
    def over(self) -> bool:
        """Whether it does nothing any more: used up, or cancelled."""
        return self._cancelled or (self._times is not None and self._used >= self._times)

    def reply(self, payload: dict[str, Any]) -> Script:
        """Answer this payload, whether it fits the schema or not."""
        if type(payload) is not dict:
            raise CsmsError(f"reply takes the payload as a dict, not {payload!r}; a function goes to answer(...).")
        return self._say(reply=msgspec.json.decode(msgspec.json.encode(payload)))

    def answer(self, handler: Handler) -> Script:
        """Answer what `handler(link, payload, proposed)` returns; it may be a coroutine function."""
        if not callable(handler):
            raise CsmsError(f"answer takes a function of (link, payload, proposed), not {handler!r}.")
        return self._say(reply=handler)

    def delay(self, time: str) -> Script:
        """Wait before whatever else is done; `time` with its unit ("2 s", "150 ms"), up to an hour."""
        return self._say(delay_s=seconds(time, "delay", LONGEST_DELAY_S))

    def silence(self) -> Script:
        """Give no answer."""
        return self._say(silence=True)

    def error(self, code: str = "GenericError", description: str = "") -> Script:
        """Answer by a CALLERROR; `code` is one of 1.6 or 2.x (another one: `malformed`)."""
        if code not in CODES:
            raise CsmsError(
                f"{code!r} is no error code of OCPP-J{did_you_mean(code, CODES)}; to send it all the same: "
                f""".malformed('[4,"{{id}}","{code}","",{{}}]')."""
            )
        return self._say(error=(code, description))

    def wrong_id(self) -> Script:
        """Answer under a message id that no request has."""
        return self._say(wrong_id=True)

    def malformed(self, text: str | None = None) -> Script:
        """Send this text in place of the answer, `{id}` in it standing for the message id; None: the answer, cut."""
        return self._say(malformed=True if text is None else text)

    def duplicate(self) -> Script:
        """Send the answer twice."""
        return self._say(duplicate=True)

    def close(self, code: int = 1011) -> Script:
        """Close the connection with this code: in place of an answer, or after it when a word says what to send."""
        if code not in EXTERNAL_CLOSE_CODES and code not in range(3000, 5000):
            raise CsmsError(f"{code} is no close code one may send: 1000-1003, 1007-1014 and 3000-4999 are.")
        return self._say(close=int(code))

    def half_open(self) -> Script:
        """Forget the connection without a word: in place of an answer, or after it when a word says what to send."""
        return self._say(half_open=True)

    def times(self, number: int) -> Script:
        """Treat this many requests so, from 1."""
        if type(number) is not int or number < 1:
            raise CsmsError(f"times takes a whole number from 1, not {number!r}; without an end: always().")
        self._times = number
        return self

    def always(self) -> Script:
        """Treat every request so, until it is cancelled."""
        self._times = None
        return self

    def cancel(self) -> None:
        """Treat no further request so; one that is being treated ends as it was planned."""
        self._cancelled = True

    def use(self) -> Plan:
        """Count one request; returns what to do with it. For `Scripts.take`."""
        self._used += 1
        return self.plan

    def _say(self, **words: Any) -> Script:
        plan = msgspec.structs.replace(self.plan, **words)
        for first, second in _CONTRARY:
            if _said(plan, first) and _said(plan, second):
                raise CsmsError(
                    f"a script on {self.action} cannot both {_WORDS[first]} and {_WORDS[second]}; "
                    "make two scripts of it: the second is used after the first."
                )
        self.plan = plan
        return self


class Scripts:
    """The scripts of one back end, in the order in which they were installed.

    `known` gives the actions that a station may ask, to catch a misspelt one; None: every name will do.
    Used on the loop only, but for the words of a script.
    """

    def __init__(self, known: Callable[[], Collection[str]] | None = None) -> None:
        self._known = known
        self._scripts: list[Script] = []

    def on(self, action: str, station: str | None = None) -> Script:
        """A script for the next requests of `action`, of any station or of one, behind those already there.

        Raises:
            CsmsError: no version of OCPP has a request of this name from a station.
        """
        return self.install(Script(action, station))

    def install(self, script: Script) -> Script:
        """Put a script behind those already there.

        Raises:
            CsmsError: as `on`.
        """
        known = self._known() if self._known is not None else None
        if known is not None and script.action not in known:
            raise CsmsError(
                f"no OCPP version has a request {script.action!r} that a station sends"
                f"{did_you_mean(script.action, known)}; check the name, capitals count."
            )
        if script not in self._scripts:
            self._scripts.append(script)
        return script

    def take(self, station: str, action: str) -> Plan | None:
        """What to do with one request that was just heard; None: what is right. Counts `times` down."""
        if not self._scripts:
            return None
        self._scripts = [script for script in self._scripts if not script.over]
        for script in self._scripts:
            if script.action == action and script.station in (None, station) and not script.plan.empty:
                return script.use()
        return None

    def clear(self) -> None:
        """Cancel every script."""
        for script in self._scripts:
            script.cancel()
        self._scripts = []


def _said(plan: Plan, word: str) -> bool:
    value = getattr(plan, word)
    return value is not None and value is not False


_WORDS = {
    "silence": "be silent",
    "reply": "reply",
    "error": "answer an error",
    "wrong_id": "use a wrong id",
    "malformed": "send a malformed text",
    "duplicate": "answer twice",
    "close": "close the connection",
    "half_open": "leave it half-open",
}
_CONTRARY = [
    *(("silence", word) for word in ("reply", "error", "wrong_id", "malformed", "duplicate")),
    *(("malformed", word) for word in ("reply", "error", "wrong_id")),
    ("error", "reply"),
    ("close", "half_open"),
]
