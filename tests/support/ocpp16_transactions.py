"""Traces for the rules about transactions, unplugging and metering of the OCPP 1.6 pack."""

from __future__ import annotations

from ocpp16_told import TAG, Case, Told

__all__ = ["CASES"]

TRUE, FALSE = "true", "false"


def clean() -> Told:
    return Told().charge().stopped(10_000).till(30_000)


# ---- start and stop


def energised(start_at: float | None) -> Told:
    t = Told().ready()
    early = start_at is not None and start_at < 1000
    if start_at is not None and early:
        t.authorize(700)
        t.start(start_at)
    t.plug(1000)
    if not early:
        t.authorize(2000)
    t.offer(2200)
    t.cp(3000, "C", pwm=True)
    t.output(3100, True)
    if start_at is not None and start_at > 1000:
        t.start(start_at)
    return t.till(20_000)


def remote_stop(ended: float | None, reason: str = "Remote", *, unplugged: float | None = None) -> Told:
    t = Told().charge()
    t.remote_stop(5000)
    if unplugged is not None:
        t.unplug(unplugged)
        t.output(unplugged + 40, False)
    if ended is not None:
        t.stop(ended, reason)
        t.status(ended + 50, "Finishing" if unplugged is None else "Available")
    return t.till(30_000)


def authorizes(tag: str, **but: str | None) -> Told:
    t = Told(**but).charge()
    t.authorize(6000, tag)
    t.stop(6500, "Local")
    return t.till(20_000)


def refused(
    ended: float | None = None, *, live: float | None = None, dead: float | None = None, **but: str | None
) -> Told:
    """Authorised, and the StartTransaction of 2050 is answered Invalid."""
    t = Told(**but).ready()
    t.plug(1000)
    t.authorize(2000)
    t.start(2050, accepted=False)
    if live is not None:
        t.offer(2200)
        t.cp(3000, "C", pwm=True)
        t.output(live, True)
    if dead is not None:
        t.output(dead, False)
    if ended is not None:
        t.stop(ended, "DeAuthorized")
    return t.till(30_000)


# ---- unplugged in a transaction


def pulled(
    ended: float | None = None,
    reason: str = "EVDisconnected",
    *,
    card: float | None = None,
    status: str = "",
    lock: tuple[float | None, ...] = (),
    unlock: str = TRUE,
    stop: str | None = TRUE,
) -> Told:
    """The plug is pulled at 6000 while it charges. `lock`: locked at, open at."""
    t = Told(StopTransactionOnEVSideDisconnect=stop, UnlockConnectorOnEVSideDisconnect=unlock).charge()
    locked, opened = lock or (None, None)
    if locked is not None:
        t.lock(locked, True)
    if card is not None:
        t.token(card)
    t.unplug(6000, cable=False)
    t.output(6040, False)
    if status:
        t.status(6300, status)
    if opened is not None:
        t.lock(opened, False)
    if ended is not None:
        t.stop(ended, reason)
        t.status(ended + 50, "Finishing")
    return t.till(30_000)


def back_again(ended: float, *, energy: bool = True, card: float | None = None) -> Told:
    """Pulled at 6000, plugged in again at 8000, energy at 9100."""
    t = Told().charge()
    t.unplug(6000, cable=False)
    t.output(6040, False)
    if ended < 8000:
        t.stop(ended, "EVDisconnected")
        t.status(ended + 50, "Finishing")
    t.cp(8000, "B", pwm=False)
    if card is not None:
        t.token(card)
        t.authorize(card + 20)
    if energy:
        t.offer(8500)
        t.cp(9000, "C", pwm=True)
        t.output(9100, True)
    if ended > 8000:
        t.stop(ended, "EVDisconnected")
        if card is not None:
            t.start(ended + 100, tx=8)
    return t.till(40_000)


# ---- metering


def sampled(
    every: float, context: str = "Sample.Periodic", *, interval: str = "10", key: str = "MeterValueSampleInterval"
) -> Told:
    settings: dict[str, str | None] = {"MeterValueSampleInterval": "3600", key: interval}
    t = Told(**settings).charge()
    at, wh = 2050 + every, 5000.0
    while at < 54_000:
        wh += 1
        t.values(at, context, wh)
        at += every
    return t.stopped(55_000).till(80_000)


def told_late(interval: str) -> Told:
    """The last sample at 12050; stopped at 21000, told at 36000."""
    t = Told(MeterValueSampleInterval=interval).charge()
    t.values(12_050, "Sample.Periodic", 5001)
    t.withdraw(21_000)
    t.status(21_100, "SuspendedEVSE")
    t.stop(36_000, "Local", claimed=21_000)
    t.status(36_050, "Finishing")
    return t.till(60_000)


def begin_and_end() -> Told:
    t = Told().charge()
    t.values(3300, "Transaction.Begin", 5000)
    t.values(5000, "Sample.Clock", 5005)
    t.values(6000, "Trigger", 5006)
    t.values(10_900, "Transaction.End", 5020)
    t.stopped(10_000)
    return t.till(30_000)


def registers(*values: float, wh: int = 5020) -> Told:
    """Registers 2 s apart from 4000 on, then a stop at 20000."""
    t = Told(MeterValueSampleInterval="3600").charge()
    for i, value in enumerate(values):
        t.values(4000 + 2000 * i, "Sample.Periodic", value)
    return t.stopped(20_000, wh=wh).till(40_000)


def interval_start() -> Told:
    """A clock-aligned value bears the time at which its interval began, and is read at its end (9.1.5)."""
    t = Told(MeterValueSampleInterval="3600").charge()
    t.values(4000, "Sample.Periodic", 5001)
    t.values(8000, "Sample.Periodic", 5002)
    t.values(9000, "Sample.Clock", 5010, claimed=3500)
    t.values(12_000, "Sample.Periodic", 5012)
    return t.stopped(15_000).till(40_000)


def repeated_at_the_end() -> Told:
    """The StopTransaction tells the old values once more."""
    t = Told(MeterValueSampleInterval="3600").charge()
    t.values(4000, "Sample.Periodic", 5001)
    t.values(8000, "Sample.Periodic", 5008)
    t.values(12_990, "Sample.Periodic", 5001, claimed=3997)
    t.values(12_995, "Sample.Periodic", 5008, claimed=7997)
    return t.stopped(12_000).till(40_000)


def from_zero() -> Told:
    """The next transaction counts from zero again."""
    t = Told(MeterValueSampleInterval="3600").charge()
    t.values(4000, "Sample.Periodic", 5001)
    t.stopped(8000, unplugged=False)
    t.authorize(12_000)
    t.start(12_050, 0, tx=8)
    t.values(14_000, "Sample.Periodic", 0, tx=8)
    return t.till(30_000)


def totals(begin: float, end: float, *, meter_stop: int = 5020) -> Told:
    t = Told().charge()
    t.values(2060, "Transaction.Begin", begin)
    t.values(10_990, "Transaction.End", end)
    return t.stopped(10_000, wh=meter_stop).till(30_000)


CASES: dict[str, Case] = {
    "tx.start": Case(
        clean,
        lambda: energised(None),
        {"before the plug": lambda: energised(800), "late": lambda: energised(9000)},
    ),
    "tx.stop": Case(clean, lambda: remote_stop(None), {"late": lambda: remote_stop(19_000)}),
    "stop.reason": Case(
        clean,
        lambda: remote_stop(6000, "Other"),
        {"unplugged meanwhile": lambda: remote_stop(6000, "EVDisconnected", unplugged=5500)},
    ),
    "stop.no_authorize": Case(
        clean,
        lambda: authorizes(TAG),
        {
            "another token": lambda: authorizes("04FF"),
            "it may start before it asks": lambda: authorizes(TAG, LocalPreAuthorize=TRUE),
            "perhaps at another connector": lambda: authorizes(TAG, NumberOfConnectors="2"),
        },
    ),
    "invalid.stop": Case(
        lambda: refused(3000),
        lambda: refused(None),
        {
            "energy to drive away": lambda: refused(None, MaxEnergyOnInvalidId="500"),
            "the setting says no": lambda: refused(None, StopTransactionOnInvalidId=FALSE),
        },
    ),
    "invalid.energy": Case(
        lambda: refused(None, StopTransactionOnInvalidId=FALSE),
        lambda: refused(None, live=2020, StopTransactionOnInvalidId=FALSE),
        {
            "closes for a while": lambda: refused(None, live=2500, dead=9000, StopTransactionOnInvalidId=FALSE),
            "energy to drive away": lambda: refused(
                None, live=2020, StopTransactionOnInvalidId=FALSE, MaxEnergyOnInvalidId="500"
            ),
        },
    ),
    "unplug.stop": Case(
        lambda: pulled(6500),
        lambda: pulled(None),
        {
            "plugged in again at once": lambda: back_again(9500, energy=False),
            "no such setting": lambda: pulled(None, stop=None),
        },
    ),
    "unplug.reason": Case(
        lambda: pulled(6500),
        lambda: pulled(6500, "Other"),
        {
            "a card at the same time": lambda: pulled(6500, "Local", card=6100),
            "no such setting": lambda: pulled(6500, "Other", stop=None),
        },
    ),
    "unplug.no_energy": Case(
        lambda: pulled(6500),
        lambda: back_again(20_000),
        {
            "a new transaction": lambda: back_again(6500),
            "a new card, told late": lambda: back_again(20_000, card=8200),
        },
    ),
    "unplug.continue": Case(
        lambda: pulled(None, status="SuspendedEV", stop=FALSE),
        lambda: pulled(6500, stop=FALSE),
        {"ended by a card": lambda: pulled(9000, "Local", card=8500, status="SuspendedEV", stop=FALSE)},
    ),
    "unplug.suspended": Case(
        lambda: pulled(None, status="SuspendedEV", stop=FALSE),
        lambda: pulled(None, stop=FALSE),
        {"SuspendedEVSE": lambda: pulled(None, status="SuspendedEVSE", stop=FALSE)},
    ),
    "unplug.unlocks": Case(
        lambda: pulled(6500, lock=(1500, 7000)),
        lambda: pulled(6500, lock=(1500, None)),
        {
            "no input for a lock": lambda: pulled(6500),
            "open before the plug was pulled": lambda: pulled(6500, lock=(1500, 5900)),
            "the setting says no": lambda: pulled(6500, lock=(1500, None), unlock=FALSE),
        },
    ),
    "unplug.stays_locked": Case(
        lambda: pulled(None, status="SuspendedEV", lock=(1500, None), stop=FALSE),
        lambda: pulled(None, status="SuspendedEV", lock=(1500, 7000), stop=FALSE),
        {"a card": lambda: pulled(9000, "Local", status="SuspendedEV", lock=(1500, 9000), card=8500, stop=FALSE)},
    ),
    "meter.sampled": Case(
        lambda: sampled(10_000),
        lambda: sampled(40_000),
        {
            "more often": lambda: sampled(3000),
            "0: none is asked for": lambda: sampled(40_000, interval="0", context="Trigger"),
            "none after it stopped, and the stop is told late": lambda: told_late("10"),
        },
    ),
    "meter.sampled_off": Case(
        begin_and_end,
        lambda: sampled(10_000, interval="0"),
        {
            "clock-aligned": lambda: sampled(10_000, "Sample.Clock", interval="0"),
            "begin, end and asked for": begin_and_end,
        },
    ),
    "meter.clock": Case(
        lambda: sampled(10_000, "Sample.Clock", key="ClockAlignedDataInterval"),
        lambda: sampled(40_000, "Sample.Clock", key="ClockAlignedDataInterval"),
        {"none is asked for": lambda: sampled(100_000, key="ClockAlignedDataInterval", interval="0")},
    ),
    "register.monotonic": Case(
        lambda: registers(5001, 5002, 5002, 5003),
        lambda: registers(5001, 5005, 5004),
        {
            "the start of the interval as its time": interval_start,
            "told once more at the end": repeated_at_the_end,
            "the next one counts from zero": from_zero,
        },
    ),
    "energy.register": Case(
        lambda: totals(5000.0, 5020.0),
        lambda: totals(5000.0, 5020.0, meter_stop=5025),
        {"rounded": lambda: totals(4999.6, 5019.5), "no samples at all": clean},
    ),
}
"""Rule -> its traces."""
