"""Ground floor: time, events, the vocabulary, and the protocol of the gate. No input or output."""

from __future__ import annotations

from .claim import parse_claim
from .clock import DeviceClock
from .event import Event
from .gate import ClosedGate, Gate, Stimulus
from .hints import did_you_mean, key_line, syntax_line
from .interval import Interval
from .lag import LagSelector, PollClock, new_loop
from .stamp import DRIFT_PPM, HOST, Stamp, difference
from .station_time import ClockStep, StationTime
from .timeline import Source, Timeline
from .topics import TOPICS, check_topic, keys_of, kind_of
from .units import UNITS, parse_quantity

__all__ = [
    "DRIFT_PPM",
    "HOST",
    "TOPICS",
    "UNITS",
    "ClockStep",
    "ClosedGate",
    "DeviceClock",
    "Event",
    "Gate",
    "Interval",
    "LagSelector",
    "PollClock",
    "Source",
    "Stamp",
    "StationTime",
    "Stimulus",
    "Timeline",
    "check_topic",
    "did_you_mean",
    "difference",
    "key_line",
    "keys_of",
    "kind_of",
    "new_loop",
    "parse_claim",
    "parse_quantity",
    "syntax_line",
]
