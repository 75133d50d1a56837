"""One search for several words finds what a search for each of them finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.timeline.stems import Stems

WORDS = ("pin", "pass", "key", "\\u", "://", ":\\", "a.b")
STEMS = Stems(WORDS)


@given(st.text(alphabet='pinasekyu\\:/.b"é\n\0😀', max_size=40))
def test_as_each_by_itself(text: str) -> None:
    assert STEMS.any_in(text) == any(word in text for word in WORDS)


def test_each_word_is_found_anywhere() -> None:
    for word in WORDS:
        assert STEMS.any_in(word)
        assert STEMS.any_in("x" * 5000 + word)
        assert STEMS.any_in("\n" + word + "\0é")
    assert not STEMS.any_in("")


def test_a_text_that_cannot_be_read_is_suspect() -> None:
    assert STEMS.any_in("\ud800")
