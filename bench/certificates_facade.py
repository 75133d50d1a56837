"""Certificates and monitors as a test sees them: plain functions about the station under test."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .csms.certificates import CertificateDesk
from .csms.certificates.desk import LONGEST_DELAY_S
from .csms.certificates.installed import Installed, InstalledCertificate
from .csms.misbehave.units import seconds
from .csms.v2x.monitoring import Monitor, MonitoringModel

if TYPE_CHECKING:
    from .assembly import Bench

__all__ = ["CertificatesFacade"]

T = TypeVar("T")


class _Host(Protocol):
    @property
    def bench(self) -> Bench: ...

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T: ...


class CertificatesFacade:
    """What the back end does with certificates, and what the station said of its own; docs/certificates.md.

    `certificates.CertificateDesk` says more of each word, and what it raises.
    """

    def __init__(self, host: _Host) -> None:
        self._host = host

    def hold(self) -> None:
        """Keep back every certificate the station asks for from now on, until `release`."""
        self._there(lambda desk: desk.hold(self._station))

    def release(self, *which: int | str) -> None:
        """Let those go, by request id (2.1) or key, in this order; without any all, and nothing is held any more."""
        self._there(lambda desk: desk.release(self._station, *which))

    def held(self) -> list[int | str | None]:
        """What waits to be released, oldest first: request ids, or keys where a request has none."""
        return self._there(
            lambda desk: [one.key if one.request_id is None else one.request_id for one in desk.held(self._station)]
        )

    def sign_next(
        self,
        *,
        expired: bool = False,
        not_yet_valid: bool = False,
        wrong_key: bool = False,
        wrong_name: bool = False,
        wrong_root: bool = False,
        never: bool = False,
        delay: str = "0 s",
    ) -> None:
        """Say how the next request that is accepted is treated; `delay` with its unit ("2 s")."""
        delay_s = seconds(delay, "delay", LONGEST_DELAY_S)
        self._there(
            lambda desk: desk.sign_next(
                self._station,
                expired=expired,
                not_yet_valid=not_yet_valid,
                wrong_key=wrong_key,
                wrong_name=wrong_name,
                wrong_root=wrong_root,
                never=never,
                delay_s=delay_s,
            )
        )

    def revoke(self, certificate: str) -> None:
        """Revoke a certificate: its PEM, or its serial number in hexadecimal digits."""
        self._there(lambda desk: desk.revoke(certificate))

    def pardon(self, certificate: str) -> None:
        """Take a revocation back."""
        self._there(lambda desk: desk.pardon(certificate))

    def trust(self, pem: str) -> None:
        """Accept contracts below these certificates."""
        self._there(lambda desk: desk.trust(pem))

    def provide(self, responses: Sequence[str | bytes]) -> None:
        """Answer vehicles that ask for contract certificates by these EXI streams (bytes, or text in Base64)."""
        self._there(lambda desk: desk.provide(responses, self._station))

    def installed(self) -> list[InstalledCertificate]:
        """What the station listed, without what it deleted since."""
        return self._there(lambda _: self._link.service(Installed).held())

    def monitors(self) -> dict[int, Monitor]:
        """Monitors of the station as far as it told, by id (2.x).

        Raises:
            CsmsError: its version has none.
        """
        return self._there(lambda _: dict(self._link.service(MonitoringModel).monitors))

    @property
    def _station(self) -> str:
        return self._host.bench.file.station.id

    @property
    def _link(self) -> Any:
        return self._host.bench.csms.station(self._station)

    def _there(self, act: Callable[[CertificateDesk], T]) -> T:
        """Do it on the bench's loop, where the desk lives."""

        async def on_the_loop() -> T:
            return act(self._host.bench.csms.certificates)

        return self._host.call(on_the_loop())
