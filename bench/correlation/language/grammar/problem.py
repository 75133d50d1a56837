"""What is wrong with a sentence, and where."""

from __future__ import annotations

__all__ = ["SentenceError"]


class SentenceError(ValueError):
    """A sentence cannot be read: `text[start:end]` is where it goes wrong."""

    def __init__(self, message: str, text: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.start = start
        self.end = max(end, start + 1)

    def caret(self, indent: str = "    ") -> str:
        """The sentence with a mark under the place."""
        return f"{indent}{self.text}\n{indent}{' ' * self.start}{'^' * (self.end - self.start)}"
