"""What an OCPP version must bring along.

The link, the server and the verbs' users know only the protocols below; a version is one more
folder and one more line in `versions.DIALECTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from .rpc import RpcRules
from .schemas import Schemas

if TYPE_CHECKING:
    from .settings import Desk
    from .verbs import Caller, Verbs

__all__ = ["Adapter", "Behaviour", "Dialect", "Fact", "Payload", "Place", "Request", "Trigger"]

Payload = dict[str, Any]

Place = int | tuple[int | None, int | None]
"""What tells messages of one action apart: connector, EVSE, both, or request and number of a report's part."""


class Fact(msgspec.Struct, frozen=True):
    """An event in the version-neutral vocabulary. `own`: it reports the back end's answer, not the station's word."""

    topic: str
    data: dict[str, Any]
    evse: int | None = None
    own: bool = False


class Request(msgspec.Struct, frozen=True):
    """How a request to the station looks to the gate: plain arguments with units, and whether it leads to safety."""

    args: dict[str, Any]
    to_safe: bool = False


class Trigger(msgspec.Struct, frozen=True):
    """A message that the station has been asked to send; `connector` None: for every one it has."""

    action: str
    connector: Place | None = None
    per_connector: bool = False


class Behaviour(Protocol):
    """How the back end answers one station."""

    def propose(self, action: str, payload: Payload, *, asked: bool, registered: bool) -> Payload | None:
        """The answer to a request; None when this back end does nothing for the action."""
        ...

    def settle(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take note of what was answered in the end; returns remarks for the adapter (`orphan`, `repeated`)."""
        ...


class Adapter(Protocol):
    """Turns the messages of one station into the vocabulary."""

    def heard(self, action: str, payload: Payload) -> Iterable[Fact]:
        """Facts in a request of the station that do not depend on the answer."""
        ...

    def replied(self, action: str, payload: Payload, reply: Payload, notes: Payload) -> Iterable[Fact]:
        """Facts that stand only once the answer is known."""
        ...

    def answered(self, action: str, payload: Payload, answer: Payload) -> Iterable[Fact]:
        """Facts in the station's answer to a request of the back end."""
        ...

    def describe(self, action: str, payload: Payload) -> Request:
        """A request to the station as the gate sees it."""
        ...

    def verdict(self, action: str, answer: Payload) -> tuple[bool, str]:
        """Whether the station agreed, and its own word for it."""
        ...

    def triggered(self, action: str, payload: Payload, answer: Payload) -> Trigger | None:
        """What the station has just promised to send, if this request asked for something."""
        ...

    def connector(self, action: str, payload: Payload) -> Place | None:
        """The connector a request of the station speaks of, in the same terms as its `Trigger`."""
        ...

    def identity(self, payload: Payload) -> dict[str, Any]:
        """What a boot message says of the station: vendor, model, serial, firmware (those given)."""
        ...

    def boot_facts(self, payload: Payload) -> Iterable[Fact]:
        """A boot that the station reports of its own accord."""
        ...

    def claim(self, action: str, payload: Payload) -> tuple[str, bool] | None:
        """The time a request claims, and whether the message may have waited in a queue before."""
        ...


class Dialect(msgspec.Struct, frozen=True):
    """One OCPP version.

    - `boot`: the action with which a station registers.
    - `inbound`: actions that a station may ask of a back end.
    - `behaviour`, `adapter`, `verbs`: made anew for each station.
    """

    version: str
    subprotocol: str
    rules: RpcRules
    schemas: Schemas
    boot: str
    inbound: frozenset[str]
    behaviour: Callable[[str, Desk], Behaviour]
    adapter: Callable[[str], Adapter]
    verbs: Callable[[Caller], Verbs]
