"""The page that says which messages have behaviour, beside the program."""

from __future__ import annotations

from ocpp_coverage import PAGE, page


def test_the_page_says_what_the_program_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python tests/support/ocpp_coverage.py"
