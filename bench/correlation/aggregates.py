"""What an `agree` rule may compare."""

from __future__ import annotations

__all__ = ["AGGREGATES"]

AGGREGATES: dict[str, str] = {
    "register": "energy of a transaction by the station's sampled register, Transaction.Begin to Transaction.End, Wh",
    "tx_meter": "energy of a transaction by its meterStart and meterStop (1.6), Wh",
    "e_bench": "energy of a transaction by the bench's meter, Wh",
    "station_clock": "the time that the station claims, s",
    "bench_clock": "the wall clock of the bench, s",
}
"""Name -> what it is, with its unit."""
