"""What the pilot emulator measures at the tap: levels, duty and frequency, output sense."""

from __future__ import annotations

from random import Random

from ..model.divider import with_noise
from ..model.plant import Plant

__all__ = ["PilotGauge"]


class PilotGauge:
    """Converter and capture timer of the device."""

    def __init__(self, plant: Plant, rng: Random) -> None:
        self._plant = plant
        self._rng = rng

    def visible_duty_pct(self) -> float:
        """What the capture timer sees: without edges it is static, high or (at 0 V too) low."""
        high_v, low_v = self._plant.levels.high_v, self._plant.levels.low_v
        if high_v - low_v < 0.5:
            return 100.0 if high_v > 0.5 else 0.0
        pwm_pct = self._plant.pwm_pct
        return 0.0 if pwm_pct is None else pwm_pct

    def measured_mv(self) -> tuple[int, int]:
        """Levels with 10 bits over +-15 V and 1 % noise; one reading for both when there is no PWM."""
        levels = self._plant.levels
        high_mv = _converted_mv(with_noise(levels.high_v, self._rng))
        if levels.low_v == levels.high_v:
            return high_mv, high_mv
        return high_mv, _converted_mv(with_noise(levels.low_v, self._rng))

    def measured_pwm(self) -> tuple[int, int]:
        """Duty in 0.01 %, frequency in 0.1 Hz."""
        duty_pct = self.visible_duty_pct()
        if duty_pct <= 0.0 or duty_pct >= 100.0:
            return round(duty_pct * 100.0), 0
        # The capture timer counts to 0.02 %; the generator's crystal is good for a tenth of a hertz.
        duty, freq = duty_pct * 100.0 + self._rng.uniform(-2.0, 2.0), self._plant.pwm_hz * 10.0
        return round(duty), round(freq) + self._rng.choice((-1, 0, 1))

    def out_bits(self) -> str:
        """Output sense, one digit a phase, L1 first."""
        return "".join("1" if live else "0" for live in self._plant.sense.seen)


def _converted_mv(volt: float) -> int:
    """Through a converter of 10 bits over +-15 V."""
    step_mv = 30_000.0 / 1024.0
    return round(round(volt * 1000.0 / step_mv) * step_mv)
