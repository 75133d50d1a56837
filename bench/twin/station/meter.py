"""The station's own meter: the newest values from the DUT port, and the sampled values that OCPP reports of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .faults import Knobs

__all__ = ["MEASURANDS", "OwnMeter", "Sample", "SampledValue", "sampled_values"]

_REGISTER = "Energy.Active.Import.Register"
MEASURANDS = (_REGISTER, "Power.Active.Import", "Current.Import", "Voltage", "Current.Offered")
"""What can be sampled."""

SampledValue = dict[str, str]


@dataclass(frozen=True)
class Sample:
    """One reading: model time in microseconds, watt, ampere and volt per phase, Wh as the station reports it."""

    t_us: int
    power_w: float
    current_a: tuple[float, ...]
    voltage_v: tuple[float, ...]
    energy_wh: float

    @property
    def idle(self) -> bool:
        """No current flows, as far as this meter can tell."""
        return all(abs(amps) < 0.1 for amps in self.current_a)


class OwnMeter:
    """Keeps the newest sample. `energy_gain` of the knobs falsifies what was counted since `begin`."""

    def __init__(self, knobs: Knobs) -> None:
        self._gain = knobs.energy_gain
        self._base_wh: float | None = None
        self.sample = Sample(0, 0.0, (0.0, 0.0, 0.0), (230.0, 230.0, 230.0), 0.0)

    def update(self, t_us: int, meter: Mapping[str, Any]) -> Sample:
        """Take the `meter` object of a state message."""
        raw = float(meter["energy_wh"])
        self.sample = Sample(
            t_us,
            float(meter["power_w"]),
            _floats(meter["current_a"]),
            _floats(meter["voltage_v"]),
            raw if self._base_wh is None else self._base_wh + (raw - self._base_wh) * self._gain,
        )
        return self.sample

    def begin(self) -> None:
        """A transaction begins. Only the first one sets the base, so that the register stays monotonic."""
        if self._base_wh is None:
            self._base_wh = self.sample.energy_wh


def sampled_values(
    sample: Sample, measurands: Iterable[str], context: str, offered_a: float | None
) -> list[SampledValue]:
    """The `sampledValue` list of a MeterValues message: energy in Wh with one decimal, A, V, W."""
    values: list[SampledValue] = []
    for name in measurands:
        values.extend(_values_of(name, sample, context, offered_a))
    return values


def _values_of(name: str, sample: Sample, context: str, offered_a: float | None) -> list[SampledValue]:
    if name == _REGISTER:
        return [_value(f"{sample.energy_wh:.1f}", name, context, "Wh")]
    if name == "Power.Active.Import":
        return [_value(f"{sample.power_w:.0f}", name, context, "W")]
    if name == "Current.Import":
        return _per_phase(sample.current_a, name, context, "A", "L{}")
    if name == "Voltage":
        return _per_phase(sample.voltage_v, name, context, "V", "L{}-N")
    if name == "Current.Offered" and offered_a is not None:
        return [_value(f"{offered_a:.1f}", name, context, "A")]
    return []


def _per_phase(values: Sequence[float], name: str, context: str, unit: str, phase: str) -> list[SampledValue]:
    return [
        _value(f"{value:.2f}", name, context, unit) | {"phase": phase.format(number)}
        for number, value in enumerate(values, 1)
    ]


def _value(text: str, name: str, context: str, unit: str) -> SampledValue:
    return {"value": text, "context": context, "measurand": name, "unit": unit}


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
