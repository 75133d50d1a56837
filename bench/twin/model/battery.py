"""The vehicle's battery: state of charge and pack voltage, no more than a status frame shows."""

from __future__ import annotations

__all__ = ["Battery"]

EFFICIENCY = 0.9
"""Of the on-board charger; 0.88..0.94 in the field."""


class Battery:
    """A pack of `capacity_wh` at `soc_pct` percent."""

    def __init__(self, soc_pct: float, capacity_wh: float = 60_000.0) -> None:
        self.soc_pct = soc_pct
        self._capacity_wh = capacity_wh

    @property
    def full(self) -> bool:
        return self.soc_pct >= 100.0

    @property
    def voltage_v(self) -> float:
        """Pack voltage in volts: 330 V empty, 400 V full."""
        return 330.0 + 0.7 * self.soc_pct

    def charge(self, energy_wh: float) -> None:
        """Take `energy_wh` from the grid's side."""
        self.soc_pct = min(100.0, self.soc_pct + 100.0 * EFFICIENCY * energy_wh / self._capacity_wh)
