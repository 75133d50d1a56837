"""What is known of one authorised use of the outlet."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Session", "Token"]


@dataclass(frozen=True)
class Token:
    """An identifier, with its kind in the words of OCPP 2.x (1.6 has none)."""

    id: str
    kind: str = "ISO14443"


@dataclass
class Session:
    """An authorised use of the outlet."""

    token: Token
    group: str | None = None
    remote_start_id: int | None = None
    reservation: int | None = None
    locks: bool = False  # the cable shall be locked
    powers: bool = False  # the contactor may close
    offers: bool = False  # current may be offered
    offered_at_s: float | None = None
    charged: bool = False
    barred: bool = False  # the back end refused the identifier after the start
    held: bool = False  # interrupted, or taken up again without energy
    limited: bool = False  # a limit of the transaction is reached
    delay_s: float = 0.0  # between closing the power path and offering current
    stop_reason: str | None = None
    stop_token: Token | None = None
    ended: bool = False

    @property
    def stopped(self) -> bool:
        """Someone wants it to end."""
        return self.stop_reason is not None
