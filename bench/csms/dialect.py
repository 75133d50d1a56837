"""What an OCPP version must bring along.

The link, the server and the verbs' users know only the protocols below; a version is one more
folder and one more line in `versions.DIALECTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec

from .fields import Payload
from .rpc import RpcRules
from .schemas import SchemaFault, Schemas

if TYPE_CHECKING:
    from ..timeline import Stamp
    from .service import Asked, FollowUp, Service
    from .settings import Desk
    from .verbs import Caller, Verbs

    S = TypeVar("S", bound=Service)

__all__ = ["Adapter", "Behaviour", "Dialect", "Fact", "Payload", "Place", "Proposal", "Request", "Trigger"]

Place = int | tuple[int | None, int | None]
"""What tells messages of one action apart: connector, EVSE, both, or request and number of a report's part."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """An event in the version-neutral vocabulary. `own`: it reports the back end's answer, not the station's word."""

    topic: str
    data: dict[str, Any]
    evse: int | None = None
    own: bool = False


class Request(msgspec.Struct, frozen=True):
    """How a request to the station looks to the gate: plain arguments with units, and whether it leads to safety.

    `bounds` is what only the gate looks at: the highest limits and the names of settings anywhere in the payload.
    """

    args: dict[str, Any]
    to_safe: bool = False
    bounds: dict[str, Any] = {}


class Trigger(msgspec.Struct, frozen=True):
    """A message that the station has been asked to send; `connector` None: for every one it has."""

    action: str
    connector: Place | None = None
    per_connector: bool = False


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """An answer the back end would give, and where it comes from."""

    reply: Payload
    by: Literal["behaviour", "default"]


class Behaviour(Protocol):
    """How the back end answers one station; `behaviour.Composed` documents each member."""

    @property
    def services(self) -> tuple[Service, ...]: ...

    def propose(self, action: str, payload: Payload, how: Asked) -> Proposal: ...

    def settle(self, action: str, payload: Payload, reply: Payload) -> Payload: ...

    def follow(self, action: str, payload: Payload, reply: Payload) -> Iterable[FollowUp]: ...

    def heard(self, action: str, payload: Payload, stamp: Stamp) -> None: ...

    def connected(self) -> None: ...

    def asks(self, action: str, payload: Payload) -> None: ...

    def answered(self, action: str, payload: Payload, answer: Payload) -> None: ...

    def refused(self, action: str, payload: Payload) -> None: ...

    def booted(self) -> None: ...

    def service(self, kind: type[S]) -> S | None: ...


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

    def offers(self, action: str, payload: Payload, reply: Payload) -> Request | None:
        """An answer to the station as the gate sees it, when it says how much may flow; None: it does not."""
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
    - `inbound`: actions that a station may ask of a back end. `sends`: messages it may send that are never answered.
    - `always_answered`: actions that are never refused because the station is not accepted yet.
    - `waits`: a station that waits for its acceptance is refused by SecurityError (2.x: B02.FR.09, B03.FR.07).
    - `ids_for_ever`: a message id is used up on every connection (2.x part 4 section 4.1.4), not on one.
    - `tolerable`: places (`Action:place` as in `SchemaFault.path`, numbers left out) whose absence hinders nothing.
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
    sends: frozenset[str] = frozenset()
    always_answered: frozenset[str] = frozenset()
    waits: bool = False
    tolerable: frozenset[str] = frozenset()
    ids_for_ever: bool = False

    def tolerates(self, action: str, fault: SchemaFault) -> bool:
        """Whether a missing member hinders nothing."""
        places = [part for part in fault.path.split(".") if part and not part.isdecimal()]
        return any(f"{action}:{'.'.join([*places, name])}" in self.tolerable for name in fault.missing)
