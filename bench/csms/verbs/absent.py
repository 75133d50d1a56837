"""Words that a version does not have: they say so, and what to use instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ....errors import CsmsError

__all__ = ["absent", "refuse"]

Absent = Callable[..., Any]
"""A coroutine function, whatever it is asked for."""


def absent(verb: str, version: str, instead: str) -> Absent:
    """A verb that raises a CsmsError: "`verb` is not in OCPP `version`; `instead`."."""

    async def refused(*_: Any, **__: Any) -> NoReturn:
        refuse(verb, version, instead)

    refused.__name__ = verb
    refused.__doc__ = f"Not in OCPP {version}; {instead}."
    return refused


def refuse(what: str, version: str, instead: str) -> NoReturn:
    """Say that a version does not have something.

    Raises:
        CsmsError: always.
    """
    raise CsmsError(f"{what} is not in OCPP {version}; {instead}.")
