"""Reading tokens one after the other, with errors that point."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from .lexer import Token, tokens
from .names import Names
from .problem import SentenceError

__all__ = ["Cursor"]

T = TypeVar("T")


class Cursor:
    """A sentence being read."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self._tokens = list(tokens(text))
        self._at = 0

    @property
    def now(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def after(self, ahead: int = 1) -> Token:
        """A token further on."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def step(self) -> Token:
        """Take the next token."""
        token = self.now
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def sees(self, *words: str) -> bool:
        """The next token is one of these words or symbols."""
        return self.now.text in words and self.now.kind in ("name", "symbol")

    def skip(self, *words: str) -> bool:
        """Take the next token if it is one of these."""
        if self.sees(*words):
            self.step()
            return True
        return False

    def want(self, what: str, *words: str) -> Token:
        """Take one of these words, or fail: `what` was expected."""
        if not self.sees(*words):
            self.fail(f"here stands {self._found()}; expected is {what}")
        return self.step()

    def kind(self, what: str, *kinds: str) -> Token:
        """Take a token of one of these kinds, or fail."""
        if self.now.kind not in kinds:
            self.fail(f"here stands {self._found()}; expected is {what}")
        return self.step()

    def done(self) -> None:
        """Fail unless the sentence is over."""
        if self.now.kind != "end":
            self.fail(f"{self._found()} is too much here")

    def checked(self, token: Token, check: Callable[[], T]) -> T:
        """What `check` says of a token; its ValueError is told at the token's place."""
        try:
            return check()
        except ValueError as error:
            raise SentenceError(str(error), self.text, token.start, token.end) from error

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        """Raise a SentenceError at the next token (or the given one)."""
        at = token or self.now
        raise SentenceError(message, self.text, at.start, at.end)

    def _found(self) -> str:
        return "nothing more" if self.now.kind == "end" else repr(self.now.text)
