"""What a bench file says of the back end, in the back end's own words."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..errors import ConfigError
from .back_end import BackEndPlan
from .config import BenchFile
from .csms import Settings
from .csms.policy import Policy
from .timeline import key_line

__all__ = ["plan_of"]


def plan_of(file: BenchFile) -> BackEndPlan:
    """The plan of the back end of a bench; only its station may connect.

    Raises:
        ConfigError: `[csms.policy]` has something that the back end does not know.
    """
    section = file.csms
    settings = Settings(
        tokens=section.tokens,
        heartbeat_s=int(section.heartbeat),
        boot_retry_s=int(section.boot_retry),
        boots=section.boots,
        call_timeout_s=section.answer_within,
        strict=section.tolerance == "strict",
        prefer=file.station.ocpp,
        policy=_policy(file),
    )
    return BackEndPlan(
        host=section.listen,
        port=section.port,
        files_port=section.files_port,
        public_host=section.public_host,
        security_profile=section.security_profile,
        tls_port=section.tls_port,
        stations=[file.station.id],
        password=section.password,
        certificate=_beside(file, section.certificate),
        key=_beside(file, section.key),
        trusted=[file.path.parent / name for name in section.trusted],
        ping_interval_s=section.ping,
        settings=settings,
    )


def _beside(file: BenchFile, name: str | None) -> Path | None:
    return None if name is None else file.path.parent / name


def _policy(file: BenchFile) -> Policy:
    try:
        return msgspec.convert(file.csms.policy, Policy)
    except msgspec.ValidationError as error:
        known = ", ".join(Policy.__struct_fields__)
        line = key_line(file.text, ("csms", "policy"))
        raise ConfigError(f"[csms.policy]: {error}. Known: {known}.", file=str(file.path), line=line) from None
