"""What a person must be told between two snapshots, even when looking elsewhere."""

from __future__ import annotations

from ..bench.live import Snapshot

__all__ = ["news"]

TROUBLE = ("DEGRADED", "FAULTED", "UNKNOWN")


def news(before: Snapshot, after: Snapshot) -> list[str]:
    """Devices that have just left ACTIVE for something worse, and a bench that has become unsafe."""
    if before.version == after.version:
        return []
    said: list[str] = []
    known = {name: (state, why) for name, state, why in before.devices}
    for name, state, why in after.devices:
        if state in TROUBLE and known.get(name) != (state, why):
            said.append(f"{name} is {state}: {why or 'no reason given'}")
    # Last, so that it is what stays in the status line.
    if after.state == "unsafe" != before.state:
        said.append("The bench is NOT SAFE: the output is not proven dead. Do not touch it; switch the supply off.")
    return said
