"""From a pilot emulator's event lines to events of the timeline, with their stamps.

The device stamps with its own microsecond counter. Pings map that counter to the bench clock; until
the first ping of an epoch the events wait, because nothing could be said about their age.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...bench.timeline import DeviceClock, Source, Stamp
from ..serial_line import Block
from .counter import MicrosecondCounter
from .frame import EventFrame
from .identity import PilotIdentity
from .levels import classify

__all__ = ["Observer"]

TICK_EVERY_NS = 20_000_000
CLOCK_EVERY_NS = 10_000_000_000
_TOLD_NS = 50_000_000
"""How old a line is at most when it is read, where nothing better is known: a device answers within that time."""
_READING_NS = 1000
"""A reading of the counter is cut to the microsecond: the instant lies up to this much later."""


class Observer:
    """Decodes events and keeps the device's clock.

    `on_conflict` is told when an event seems to lie after its own receipt: then a bound that the
    device declared (or the clock's drift) is wrong.
    """

    def __init__(self, source: Source, evse: int | None, on_conflict: Callable[[str], None]) -> None:
        self._source = source
        self._evse = evse
        self._on_conflict = on_conflict
        self._identity: PilotIdentity | None = None
        self._counter = MicrosecondCounter(32)
        self._held: list[tuple[EventFrame, int, Block, str]] = []
        self._levels: tuple[float, float] | None = None
        self._pwm_on = False
        self._state: tuple[str, bool] | None = None
        self._estop: bool | None = None
        self._live: bool | None = None
        self._clock_said_ns = 0
        self.clock = DeviceClock(source.name)

    @property
    def letter(self) -> str | None:
        """The present state letter, None before the first level."""
        return self._state[0] if self._state else None

    def reads(self, output: Sequence[bool] | None, stamp: Stamp) -> None:
        """What a status shows of the output: told when it is live although the last event said dead.

        That event was lost on the wire, and nobody may take the output for dead. The other way round can wait: it is
        told by an event, with a better stamp.
        """
        identity = self._identity
        if output is None or identity is None or self._live is not False or not any(output):
            return
        self._live = True
        since_ns = stamp.lo_ns - identity.sense_us[1] * 1000
        data = {"live": True, "phases": list(output), "kind": identity.sense_kind}
        self._source.emit("output", Stamp.host(stamp.order_ns, lo_ns=since_ns), data, evse=self._evse)

    def begin(self, identity: PilotIdentity) -> None:
        """The device said who it is."""
        if self._identity is None or self._identity.clock_bits != identity.clock_bits:
            self._counter = MicrosecondCounter(identity.clock_bits)
        self._identity = identity
        self.clock.drift_ppm = identity.clock_ppm

    def restart(self) -> None:
        """The device's counter began anew: a new epoch. Events still held keep what is known of them."""
        self.release()
        self.clock.restart()
        self._counter = MicrosecondCounter(self._identity.clock_bits if self._identity else 32)

    def ping(self, sent_ns: int, raw_us: int, read_ns: int) -> bool:
        """Take one round trip; False when the clock stepped (a new epoch began)."""
        device_ns = self._counter.extend_ns(raw_us, self.clock.expected_ns(read_ns))
        was_known = self.clock.known
        # the device read its counter up to a microsecond after the value that it sent
        steady = self.clock.ping(sent_ns - _READING_NS, device_ns, read_ns)
        if not was_known or not steady or read_ns - self._clock_said_ns >= CLOCK_EVERY_NS:
            self.say_clock(read_ns)
        return steady

    def say_clock(self, now_ns: int) -> None:
        """Publish the map from the device's clock to the bench clock as it is now."""
        offset = self.clock.offset_at(now_ns)
        if offset is None:
            return
        self._clock_said_ns = now_ns
        self._source.emit(
            "clock.model",
            Stamp.host(now_ns),
            {
                "domain": self.clock.domain,
                "epoch": self.clock.epoch,
                "offset_lo_ns": int(offset.lo),
                "offset_hi_ns": int(offset.hi),
            },
        )

    def event(self, frame: EventFrame, block: Block, raw: str) -> None:
        """One event line, in the order in which it was read."""
        device_ns = self._extended_ns(frame, block)
        if self.clock.known:
            self._publish(frame, device_ns, block, raw)
        else:
            self._held.append((frame, device_ns, block, raw))

    def release(self) -> None:
        """Publish what was held for want of a clock."""
        held, self._held = self._held, []
        for frame, device_ns, block, raw in held:
            self._publish(frame, device_ns, block, raw)

    def quiet_until(self, at_ns: int) -> None:
        """Nothing was on the line until `at_ns`; said at most every 20 ms, and not while events are held."""
        if not self._held and at_ns - self._source.watermark_ns >= TICK_EVERY_NS:
            self._source.tick(at_ns)

    def stamp(self, device_ns: int, block: Block, residual_us: int = 0, delay_us: tuple[int, int] = (0, 0)) -> Stamp:
        """When the fact behind a reading happened.

        `residual_us` is the reading's own error, `delay_us` how much older than the reading the fact is.
        """
        residual_ns = residual_us * 1000 + _READING_NS
        delay_lo, delay_hi = delay_us[0] * 1000, delay_us[1] * 1000
        span = self.clock.to_bench(device_ns)
        # before a clock was learned in this epoch, all that is sure is the receipt
        lo_ns, hi_ns = block.lo_ns - _TOLD_NS, block.at_ns
        if span is not None and int(span.lo) - residual_ns <= block.at_ns:
            lo_ns, hi_ns = int(span.lo) - residual_ns, min(int(span.hi) + residual_ns, block.at_ns)
        elif span is not None:
            self._conflict(int(span.lo) - residual_ns - block.at_ns, block)
        return Stamp(
            block.at_ns,
            lo_ns - delay_hi,
            hi_ns - delay_lo,
            self.clock.domain,
            self.clock.epoch,
            device_ns,
            residual_ns,
            delay_lo,
            delay_hi,
            self.clock.drift_ppm,
        )

    def stamp_of(self, frame: EventFrame, block: Block) -> Stamp:
        """The stamp of an event that has no error of its own but the counter's microsecond."""
        return self.stamp(self._extended_ns(frame, block), block)

    def _extended_ns(self, frame: EventFrame, block: Block) -> int:
        return self._counter.extend_ns(frame.device_us, self.clock.expected_ns(block.at_ns))

    def _conflict(self, missing_ns: int, block: Block) -> None:
        """An event seems to lie after its own receipt: say by how much the bounds are too small."""
        why = (
            f"an event lies {missing_ns / 1e6:.3f} ms after its own receipt: cp_res_us or the clock's drift is larger "
            "than declared"
        )
        data = {"domain": self.clock.domain, "epoch": self.clock.epoch, "missing_ns": missing_ns, "why": why}
        self._source.emit("clock.conflict", Stamp.host(block.at_ns), data, evse=self._evse)
        self._on_conflict(why)

    def _publish(self, frame: EventFrame, device_ns: int, block: Block, raw: str) -> None:
        try:
            numbers = [int(word) for word in frame.words]
            if frame.name == "CP":
                high_mv, low_mv = numbers
                self._volts(high_mv / 1000, low_mv / 1000, self._cp_stamp(device_ns, block), raw)
            elif frame.name == "PWM":
                duty, freq = numbers
                self._pwm(duty / 100, freq / 10, self._cp_stamp(device_ns, block), raw)
            elif frame.name == "OUT":
                self._output(frame.words[0], device_ns, block, raw)
            elif frame.name == "LOCK":
                delay = self._identity.lock_us if self._identity else (0, 0)
                stamp = self.stamp(device_ns, block, 0, delay)
                self._source.emit("lock", stamp, {"locked": numbers[0] == 1}, evse=self._evse, raw=raw)
            elif frame.name == "ESTOP":
                self._stop_contact(frame.words[0], self.stamp(device_ns, block), raw)
            else:
                raise ValueError(f"{frame.name} is no event of version 1")
        except (ValueError, IndexError) as error:
            self._source.gap(block.lo_ns, block.at_ns, f"{self._source.name} sent {raw!r}: {error}")

    def _stop_contact(self, word: str, stamp: Stamp, raw: str) -> None:
        """Told twice a second; an event when it changed."""
        if word not in ("0", "1"):
            raise ValueError("ESTOP takes 0 or 1")
        tripped = word == "1"
        if tripped is not self._estop:
            self._estop = tripped
            data = {"tripped": tripped, "input": "ESTOP", "why": f"its contact is {'open' if tripped else 'closed'}"}
            self._source.emit("estop", stamp, data, evse=self._evse, raw=raw)

    def _cp_stamp(self, device_ns: int, block: Block) -> Stamp:
        return self.stamp(device_ns, block, self._identity.cp_res_us if self._identity else 1000)

    def _volts(self, high_v: float, low_v: float, stamp: Stamp, raw: str) -> None:
        self._levels = (high_v, low_v)
        self._source.emit("cp.volts", stamp, {"high_v": high_v, "low_v": low_v}, evse=self._evse, raw=raw)
        self._classify(stamp, raw)

    def _pwm(self, duty_pct: float, freq_hz: float, stamp: Stamp, raw: str) -> None:
        self._pwm_on = freq_hz > 0 and 0 < duty_pct < 100
        data = {"on": self._pwm_on, "duty_pct": duty_pct, "freq_hz": freq_hz}
        self._source.emit("cp.pwm", stamp, data, evse=self._evse, raw=raw)
        self._classify(stamp, raw)

    def _classify(self, stamp: Stamp, raw: str) -> None:
        if self._levels is None:
            return
        high_v, low_v = self._levels
        state = (classify(high_v, low_v, self.letter), self._pwm_on)
        if state == self._state:
            return
        self._state = state
        data = {"state": state[0], "pwm": state[1], "high_v": high_v, "low_v": low_v}
        self._source.emit("cp.state", stamp, data, evse=self._evse, raw=raw)

    def _output(self, bits: str, device_ns: int, block: Block, raw: str) -> None:
        identity = self._identity
        if identity is None or not bits or set(bits) - {"0", "1"}:
            raise ValueError("OUT takes one digit, 0 or 1, for each phase")
        phases = [bit == "1" for bit in bits]
        stamp = self.stamp(device_ns, block, 0, identity.sense_us)
        self._live = any(phases)
        data = {"live": self._live, "phases": phases, "kind": identity.sense_kind}
        self._source.emit("output", stamp, data, evse=self._evse, raw=raw)
