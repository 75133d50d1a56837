"""Clock-aligned meter values (use case J01)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..link import CallFailed, Offline
from ..parts import Parts
from .device_model import DeviceModel
from .remote import Remote
from .story import Story2x

__all__ = ["send_aligned_values"]

_LOOK_S = 1.0


async def send_aligned_values(parts: Parts, model: DeviceModel, stories: Mapping[int, Story2x], remote: Remote) -> None:
    """Send values at multiples of AlignedDataCtrlr.Interval from midnight, until cancelled.

    In a transaction they go with an event of it, or not at all with SendDuringIdle (J01.FR.14, J01.FR.20).
    """
    while True:
        interval_s = int(model.get("AlignedDataCtrlr.Interval").value)
        now = parts.clock.now()
        today_s = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6
        if not interval_s:
            await asyncio.sleep(_LOOK_S)
            continue
        wait_s = interval_s - today_s % interval_s
        await asyncio.sleep(min(wait_s, _LOOK_S))
        if wait_s > _LOOK_S:
            continue
        idle_only = model.get("AlignedDataCtrlr.SendDuringIdle").value == "true"
        names = model.names("AlignedDataCtrlr.Measurands")
        for post in parts.posts:
            story = stories[post.number]
            if story.running is not None and not idle_only:
                story.aligned(names)
            elif story.running is None and names:
                try:
                    await parts.link.call(remote.meter_values(post, "Sample.Clock"))
                except (Offline, CallFailed):
                    continue
