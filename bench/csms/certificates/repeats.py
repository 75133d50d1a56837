"""Whether a request for a certificate repeats one that was not served, and whether the station waited as it should.

2.x A02.FR.17-19 (A03.FR.17-19): a station that was accepted and got no certificate asks again after
CertSigningWaitMinimum seconds, perhaps with a new key, then after twice that time, and so on; CertSigningRepeatTimes
is how often it doubles. The certification test of that (TC_A_23_CS) expects two repetitions for one doubling.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...timeline import Stamp
from .limits import StationLimits
from .renewals import Renewal

__all__ = ["Repeat", "judged"]


class Repeat(msgspec.Struct, frozen=True):
    """What a request is to those before it.

    - `attempt`: 0 is no repetition. `remark`: what there is to say of it.
    - `fault`: code and text of what the station did wrong, or what at least deserves a warning.
    """

    attempt: int = 0
    remark: str | None = None
    fault: tuple[str, str] | None = None


def judged(
    earlier: Sequence[Renewal],
    key: str | None,
    request_id: int | None,
    *,
    asked: bool,
    stamp: Stamp,
    limits: StationLimits,
) -> Repeat:
    """Judge a request that came at `stamp` against the unanswered ones of its type, oldest first.

    - `asked`: the back end triggered it; then nothing is repeated, and nothing is the station's fault.
    - Waiting is judged on the longest time that may lie between the two requests: a fault is certain. While the
      station's settings are not known, a repetition with the same key may come at any time; of another key is warned.
    """
    same_key = [one for one in earlier if key is not None and one.key == key]
    same_id = [one for one in earlier if one.request_id == request_id]
    before = next(reversed(same_key or same_id), None)
    if before is None:
        return Repeat()
    if asked:
        return Repeat(remark="asked for while another one of its type is not answered")
    attempt = before.attempt + 1
    wait_s = None if limits.wait_s is None else limits.wait_s * 2 ** (attempt - 1)
    waited_s = (stamp.hi_ns - before.stamp.lo_ns) / 1e9
    early = wait_s is not None and waited_s < wait_s
    waits = f"after {waited_s:.3f} s" + ("" if wait_s is None else f", CertSigningWaitMinimum asks for {wait_s} s")
    if not same_key and (early or wait_s is None):
        under = "" if request_id is None else f" under the id {request_id}"
        why = f"a second request with another key{under} while the first one of its type is not answered, {waits}"
        return Repeat(attempt, why, ("SecondSignCertificate", why))
    remark = f"repetition {attempt} of a request that was not answered, {waits}"
    if early:
        return Repeat(attempt, remark, ("SignCertificateTooSoon", remark))
    if limits.repeats is not None and attempt > limits.repeats + 1:
        why = f"{remark}; CertSigningRepeatTimes is {limits.repeats}"
        return Repeat(attempt, remark, ("SignCertificateTooOften", why))
    return Repeat(attempt, remark)
