"""The check before every stimulus: its protocol only. `bench.safety` implements it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from ...errors import SafetyError

__all__ = ["ClosedGate", "Gate", "Stimulus"]


class Stimulus(msgspec.Struct, frozen=True):
    """What the bench is about to do to the station.

    `device` is the instrument's name in the bench file (or `csms`), `verb` what it is asked
    (`resistor`, `fault`, `pp`, `token`, `relay`, `ev.command`, or an OCPP action), `args` its
    arguments as plain values with units in the names. `to_safe` marks a step towards the safe
    state (CP to A, fault off, current 0): no envelope may refuse that.
    """

    device: str
    verb: str
    args: dict[str, Any]
    to_safe: bool = False


class Gate(Protocol):
    """Every driver verb and every CSMS request asks here, itself, before it writes to a wire."""

    def permit(self, stimulus: Stimulus) -> None:
        """Return when the stimulus lies in the envelope.

        Raises:
            SafetyError: it does not; the message names the bound and the value.
        """
        ...


class ClosedGate:
    """The gate of a driver that was opened without one: it lets only steps to the safe state pass."""

    def permit(self, stimulus: Stimulus) -> None:
        if not stimulus.to_safe:
            raise SafetyError(
                f"{stimulus.device} was opened read-only: {stimulus.verb} {stimulus.args} is refused. "
                "Open it through a bench, whose envelope then applies."
            )
