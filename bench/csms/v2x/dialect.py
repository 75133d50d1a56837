"""What the entries of 2.0.1 and 2.1 in the table of versions have in common."""

from __future__ import annotations

from collections.abc import Callable

from ..behaviour import Composed
from ..dialect import Adapter, Dialect
from ..rpc import RpcRules
from ..schemas import Schemas
from ..security.rotation import rotation_2x
from ..service import Service
from ..settings import Desk
from ..verbs import Caller, Verbs
from .awaited import AwaitedReports
from .file_status import FileStatus2x

__all__ = ["dialect_2x"]


def dialect_2x(
    version: str,
    folder: str,
    *,
    rules: RpcRules,
    inbound: frozenset[str],
    services: Callable[[str, Desk], list[Service]],
    adapter: Callable[[str], Adapter],
    verbs: Callable[[Caller], Verbs],
    tolerable: frozenset[str] = frozenset(),
) -> Dialect:
    """The parts of a 2.x version.

    `folder`: of its schemas. `services`: its subjects beside files, passwords and reports, which both versions share.
    """
    schemas = Schemas(folder, "Request")

    def behaviour(station: str, desk: Desk) -> Composed:
        shared = [FileStatus2x(station, desk), *rotation_2x(station, desk), AwaitedReports(station, desk)]
        return Composed([*services(station, desk), *shared], schemas)

    return Dialect(
        version=version,
        subprotocol=f"ocpp{version}",
        rules=rules,
        schemas=schemas,
        boot="BootNotification",
        inbound=inbound,
        behaviour=behaviour,
        adapter=adapter,
        verbs=verbs,
        sends=schemas.sends,
        waits=True,
        ids_for_ever=True,
        tolerable=tolerable,
    )
