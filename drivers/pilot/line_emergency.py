"""The emergency recipe of a pilot emulator on the pilot line protocol (`docs/pilot-protocol.md`)."""

from __future__ import annotations

from ..emergency import EmergencyRecipe, Step
from ..ports import wire_of
from .frame import seal

__all__ = ["line_recipe"]

BOOT_ATTEMPTS = 40
"""A board that resets when its port is opened is deaf for up to 4 s; its outputs are at state A meanwhile."""
OUTPUT_ATTEMPTS = 60
"""The output may take 3 s to go dead: the station's reaction to state A, and the contactor."""
ASK_AGAIN_MS = 50


def line_recipe(name: str, port: str, baud: int, *, mains_relay: int | None) -> EmergencyRecipe:
    """HELLO and `R A`, then the mains relay, then no faults, then read back until the output is dead.

    A command that is repeated has the same number, so the device answers again and does nothing twice.
    """
    numbers = iter(range(100))

    def line(command: str) -> tuple[str, str]:
        number = next(numbers)
        return seal(f"${number} {command}").hex(), rf"\${number} OK( [ -~]*)?\*[0-9A-F]{{2}}\r\n"

    hello, greeted = line("HELLO")
    steps = [Step("pilot", "HELLO", hello, greeted, within_ms=100, attempts=BOOT_ATTEMPTS)]
    sent, expected = line("R A")
    steps.append(Step("pilot", "CP to A", sent, expected))
    if mains_relay is not None:
        sent, expected = line(f"RELAY {mains_relay} 0")
        steps.append(Step("supply", f"mains relay {mains_relay} off", sent, expected))
    sent, expected = line("F NONE")
    steps.append(Step("faults", "faults off", sent, expected))
    # HELLO before each status: a repeated number would bring the old answer again.
    status = (seal("$0 HELLO") + seal("$1 S")).hex()
    safe = r"\$1 OK r=A f=NONE [ -~]*\*[0-9A-F]{2}\r\n"
    dead = r"\$1 OK r=A f=NONE [ -~]*\bout=0+( [ -~]*)?\*[0-9A-F]{2}\r\n"
    steps.append(Step("faults", "state A without faults, read back", status, safe, proves="state"))
    steps.append(
        Step(
            "faults",
            "output dead",
            status,
            dead,
            within_ms=ASK_AGAIN_MS,
            attempts=OUTPUT_ATTEMPTS,
            proves="output",
        )
    )
    wire, reach, why = wire_of(port, baud)
    return EmergencyRecipe(name, wire, tuple(steps), flush_hex=b"\r\n".hex(), reach=reach, why=why)
