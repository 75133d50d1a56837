"""Clock-aligned meter values (section 3.16.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..clock import text_of
from ..faults import Knobs
from ..link import CallFailed, Offline
from ..messages import Message
from ..meter import sampled_values
from ..moments import moments
from ..parts import Parts
from .config import Config
from .story import Story16

__all__ = ["send_aligned_values"]


async def send_aligned_values(parts: Parts, config: Config, stories: Mapping[int, Story16], knobs: Knobs) -> None:
    """Send values at multiples of ClockAlignedDataInterval from midnight, until cancelled.

    In a transaction they are messages of it and wait for the connection; else they are dropped without one.
    """
    async for _ in moments(parts.clock, lambda: config.whole("ClockAlignedDataInterval")):
        if knobs.aligned_delay_s is None:
            continue
        await asyncio.sleep(knobs.aligned_delay_s)
        names = config.names("MeterValuesAlignedData")
        for post in parts.posts:
            if stories[post.number].running is not None:
                stories[post.number].aligned()
                continue
            values = sampled_values(post.outlet.meter.sample, names, "Sample.Clock", None)
            entry = {"timestamp": text_of(parts.clock.now()), "sampledValue": values}
            try:
                if values:
                    await parts.link.call(Message("MeterValues", {"connectorId": post.number, "meterValue": [entry]}))
            except (Offline, CallFailed):
                continue
