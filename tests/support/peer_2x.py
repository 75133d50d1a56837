"""A 2.x station made of raw frames, for tests: the messages it sends most, each with what has to be in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

NOW = "2026-11-21T10:00:00.000Z"
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Vendor", "model": "Model"}}
TAG = {"idToken": "TAG", "type": "ISO14443"}


def token(name: str, kind: str = "ISO14443") -> dict[str, str]:
    return {"idToken": name, "type": kind}


def register(value: float, context: str = "Sample.Periodic") -> list[dict[str, Any]]:
    return [{"timestamp": NOW, "sampledValue": [{"value": value, "context": context}]}]


class Station:
    """Sends through a raw peer and returns payloads."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer

    async def say(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the payload of its result; an error fails the test."""
        frame = await self.peer.call(action, payload)
        assert frame[0] == 3, frame
        return frame[2]

    async def boot(self) -> str:
        return (await self.say("BootNotification", BOOT))["status"]

    async def event(
        self, kind: str, number: int, trigger: str, tx: str = "t1", *, info: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        payload = {
            "eventType": kind,
            "timestamp": more.pop("at", NOW),
            "triggerReason": trigger,
            "seqNo": number,
            "transactionInfo": {"transactionId": tx, **(info or {})},
            **more,
        }
        return await self.say("TransactionEvent", payload)

    async def take(self, action: str, answer: dict[str, Any], asking: Awaitable[Any] | None = None) -> dict[str, Any]:
        """Answer the next request of the back end, which `asking` sends if it is given; returns its payload."""
        task = None if asking is None else asyncio.ensure_future(asking)
        payload = await self.peer.answer(action, answer)
        if task is not None:
            await task
        return payload
