"""What the station says wrong, or strangely, while it does the right thing."""

from .slips import SLIPS, Slips

__all__ = ["SLIPS", "Slips"]
