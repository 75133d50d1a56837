"""The gate of a back end that runs without a bench: it may read from a station and answer it, and nothing else."""

from __future__ import annotations

from ...errors import SafetyError
from ..timeline import Stimulus

__all__ = ["ListeningGate", "only_reads"]

READING = ("Get", "TriggerMessage", "ExtendedTriggerMessage")
"""How requests begin that change nothing at the station but make it talk."""
ANSWERING = frozenset({"CertificateSigned"})
"""Requests that a station asked for itself (A02, 1.6 security whitepaper A02)."""


def only_reads(action: str) -> bool:
    """True of a request that changes nothing at a station, or that the station asked for itself."""
    return action in ANSWERING or action.startswith(READING)


class ListeningGate:
    """Implements the gate of the ground floor where no envelope is known: nothing that moves current passes."""

    def permit(self, stimulus: Stimulus) -> None:
        """See `Gate.permit`."""
        if stimulus.to_safe or only_reads(stimulus.verb):
            return
        raise SafetyError(
            f"{stimulus.device}: {stimulus.verb} refused: without a bench file there is no envelope, and this back end "
            "only reads and answers. Use `pilotbench run` or pytest with a bench file to ask more of a station."
        )
