"""What an `agree` rule may compare."""

from __future__ import annotations

__all__ = ["AGGREGATES", "AGGREGATE_TOPICS", "CLOCKS", "comparable"]

AGGREGATES: dict[str, str] = {
    "register": "energy of a transaction by the station's sampled register, Transaction.Begin to Transaction.End, Wh",
    "tx_meter": "energy of a transaction by its meterStart and meterStop (1.6), Wh",
    "e_bench": "energy of a transaction by the bench's meter, Wh",
    "station_clock": "the time that the station claims, s",
    "bench_clock": "the wall clock of the bench, s",
}
"""Name -> what it is, with its unit."""

AGGREGATE_TOPICS: dict[str, frozenset[str]] = {
    "register": frozenset({"ocpp.tx.started", "ocpp.tx.ended", "ocpp.register"}),
    "tx_meter": frozenset({"ocpp.tx.started", "ocpp.tx.ended", "meter.sample"}),
    "e_bench": frozenset({"ocpp.tx.started", "ocpp.tx.ended", "meter.sample"}),
    "station_clock": frozenset(
        {"ocpp.boot", "ocpp.boot.answered", "ocpp.attached", "ocpp.connected", "ocpp.disconnected"}
    ),
    "bench_clock": frozenset({"clock.anchor"}),
}
"""Name -> the topics that it is made from, beside those from which the station's clock is estimated."""

CLOCKS = frozenset({"station_clock", "bench_clock"})


def comparable(left: str, right: str) -> bool:
    """Whether the two are two measurements of one quantity."""
    return left != right and (left in CLOCKS) == (right in CLOCKS)
