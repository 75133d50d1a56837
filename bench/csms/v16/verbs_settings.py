"""Settings of a station of OCPP 1.6: its configuration keys (sections 5.3 and 5.8, chapter 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import objects, text
from ..verbs import Answer, Caller

__all__ = ["Settings16"]

WRITE_ONLY = "authorizationkey"
HEX = re.compile(r"[0-9A-Fa-f]{32,40}")


class Settings16:
    """See `verbs.Settings`."""

    _caller: Caller
    _ids: Iterator[int]
    _most_keys: int | None

    async def get_variable(self, name: str) -> str:
        """GetConfiguration of one key."""
        found = await self.get_variables([name])
        value = next((value for key, value in found.items() if key.casefold() == name.casefold()), None)
        if value is None:
            raise CsmsError(f"the station has no configuration key {name!r}; get_variables() lists those it has.")
        return value

    async def get_variables(self, names: Sequence[str] | None = None) -> dict[str, str]:
        """GetConfiguration; in several requests when GetConfigurationMaxKeys was read and asks for it."""
        if not names:
            return {} if names is not None else await self._read({})
        found: dict[str, str] = {}
        most = self._most_keys or len(names)
        for first in range(0, len(names), most):
            found |= await self._read({"key": list(names[first : first + most])})
        return found

    async def set_variable(self, name: str, value: str) -> Answer:
        """ChangeConfiguration; read back when Accepted (the write-only AuthorizationKey is not)."""
        return (await self.set_variables({name: value}))[name]

    async def set_variables(self, values: Mapping[str, str]) -> dict[str, Answer]:
        """ChangeConfiguration for each; one reading in the end."""
        answers: dict[str, Answer] = {}
        for key, value in values.items():
            answers[key] = await self._caller.ask("ChangeConfiguration", {"key": key, "value": value})
        taken = [key for key, answer in answers.items() if answer.status == "Accepted"]
        await self.get_variables([key for key in taken if key.casefold() != WRITE_ONLY])
        return answers

    async def set_password(self, password: str) -> Answer:
        """ChangeConfiguration of AuthorizationKey: 16 to 20 bytes as hex digits (whitepaper A00.FR.205, A01.FR.02)."""
        key = password if HEX.fullmatch(password) else password.encode().hex()
        if not HEX.fullmatch(key):
            raise CsmsError(
                f"a password of {len(key) // 2} bytes cannot be an AuthorizationKey: it has 16 to 20 bytes. "
                "Give as many characters, or 32 to 40 hex digits."
            )
        return await self.set_variable("AuthorizationKey", key)

    async def _read(self, wanted: Payload) -> dict[str, str]:
        answer = await self._caller.ask("GetConfiguration", wanted)
        found = {text(e.get("key")): text(e.get("value")) for e in objects(answer.payload.get("configurationKey"))}
        most = found.get("GetConfigurationMaxKeys", "")
        if most.isdecimal() and int(most) > 0:
            self._most_keys = int(most)
        return found
