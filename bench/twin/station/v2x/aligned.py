"""Clock-aligned meter values (use case J01)."""

from __future__ import annotations

from collections.abc import Mapping

from ..faults import Knobs
from ..link import CallFailed, Offline
from ..moments import moments
from ..parts import Parts
from .device_model import DeviceModel
from .remote import Remote
from .story import Story2x

__all__ = ["send_aligned_values"]


async def send_aligned_values(
    parts: Parts, model: DeviceModel, stories: Mapping[int, Story2x], remote: Remote, knobs: Knobs
) -> None:
    """Send values at multiples of AlignedDataCtrlr.Interval from midnight, until cancelled.

    In a transaction they go with an event of it, or not at all with SendDuringIdle (J01.FR.14, J01.FR.20).
    """
    async for _ in moments(parts.clock, lambda: int(model.get("AlignedDataCtrlr.Interval").value)):
        idle_only = model.get("AlignedDataCtrlr.SendDuringIdle").value == "true"
        names = model.names("AlignedDataCtrlr.Measurands")
        for post in parts.posts:
            story = stories[post.number]
            if story.running is not None and not idle_only:
                story.aligned(names)
            elif names and (story.running is None or knobs.idle_values_always):
                try:
                    await parts.link.call(remote.meter_values(post, "Sample.Clock"))
                except (Offline, CallFailed):
                    continue
