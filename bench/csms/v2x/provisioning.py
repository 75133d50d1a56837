"""Registration of a station of OCPP 2.0.1 and 2.1 (B01-B03), and its settings while it waits (B02.FR.01)."""

from __future__ import annotations

from ....errors import CsmsError
from ..boots import Boots
from ..verbs import Caller
from .names import variable_entry
from .requests import verdict

__all__ = ["Boots2x"]


class Boots2x(Boots):
    """See `Boots`; settings are variables, by their names as in `station.config`."""

    async def write(self, caller: Caller, name: str, value: str) -> None:
        """SetVariables with one variable.

        Raises:
            CsmsError: the station did not take it.
        """
        entry = {**variable_entry(name), "attributeValue": value}
        answer = await caller.ask("SetVariables", {"setVariableData": [entry]})
        accepted, status = verdict(answer.payload)
        if not accepted:
            raise CsmsError(f"{name} was not set while the boot is pending: the station says {status}.")
