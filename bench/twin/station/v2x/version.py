"""OCPP 2.0.1 and 2.1 put together."""

from __future__ import annotations

from ..clock import StationClock
from ..faults import Knobs
from ..link import Link
from ..messages import Answers
from ..parts import Parts
from ..transaction import TransactionQueue
from .aligned import send_aligned_values
from .certificates import Certificates
from .device_model import DeviceModel
from .dialect import Dialect2x
from .files import Files2x
from .keeping import Keeping
from .monitoring import Monitoring
from .provisioning import Provisioning
from .remote import Remote
from .smart_charging import SmartCharging2x
from .story import Story2x

__all__ = ["Version2x"]


class Version2x:
    """Implements `versions.Version` for "2.0.1" and "2.1"."""

    def __init__(self, version: str, station: str, knobs: Knobs, evses: int = 1) -> None:
        self._version = version
        self._knobs = knobs
        self.speech = Dialect2x(version, station, evses)
        self.settings = DeviceModel(version, station, knobs, evses)
        self._stories: dict[int, Story2x] = {}
        self._remote: Remote

    def story(self, evse: int, queue: TransactionQueue, link: Link, clock: StationClock) -> Story2x:
        self._stories[evse] = Story2x(evse, queue, link, self.speech, self.settings, clock, self._knobs)
        return self._stories[evse]

    def answers(self, parts: Parts) -> Answers:
        smart, certificates = SmartCharging2x(self._version, parts), Certificates(self._version, parts)
        files = Files2x(parts)
        self._remote = Remote(parts, self.settings, self._stories, smart, certificates, files, self._knobs)
        return {
            **Provisioning(parts, self.settings).answers,
            **self._remote.answers,
            **smart.answers,
            **Keeping(parts, self.settings).answers,
            **certificates.answers,
            **files.answers,
            **Monitoring(self._version, parts, self.settings).answers,
        }

    async def work(self, parts: Parts) -> None:
        await send_aligned_values(parts, self.settings, self._stories, self._remote, self._knobs)
