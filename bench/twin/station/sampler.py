"""Periodic meter values of whatever transaction runs, from its start to its end (1.6 section 3.16.1, 2.x J02)."""

from __future__ import annotations

from .faults import Knobs
from .place import Place
from .settings import Settings
from .story import Story

__all__ = ["sample_transactions"]

_LOOK_S = 1.0


async def sample_transactions(outlet: Place, story: Story, settings: Settings, knobs: Knobs) -> None:
    """Ask for a sample every interval, until cancelled. An interval of 0 means none."""
    while knobs.periodic_values:
        await outlet.until(lambda: story.running is not None, None)
        tx = story.running
        while tx is not None and story.running is tx:
            interval_s = settings.sample_interval_s if knobs.sample_s is None else knobs.sample_s
            over = await outlet.until(lambda: story.running is not tx, interval_s or _LOOK_S)  # noqa: B023
            if interval_s and not over:
                story.sampled()
