"""What is known of one authorised use of the outlet."""

from __future__ import annotations

from dataclasses import dataclass

from .transaction import Transaction

__all__ = ["Session"]


@dataclass
class Session:
    """An authorised use of the outlet."""

    id_tag: str
    parent: str | None = None
    tx: Transaction | None = None
    locks: bool = False  # the cable shall be locked
    powers: bool = False  # the contactor may close
    offers: bool = False  # current may be offered
    offered_at_s: float | None = None
    charged: bool = False
    barred: bool = False  # the back end refused the identifier after the start
    stop_reason: str | None = None
    stop_tag: str | None = None
    ended: bool = False

    @property
    def stopped(self) -> bool:
        """Someone wants it to end."""
        return self.stop_reason is not None
