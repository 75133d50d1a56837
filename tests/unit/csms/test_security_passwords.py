"""Passwords: the forms a station may send, what is kept of them, and changes that lock nobody out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pilotbench.bench.csms.security import Passwords, problem_with
from pilotbench.bench.csms.security.records import Records
from pilotbench.bench.csms.security.secret import Hashed, Plain
from pilotbench.errors import CsmsError

KEY = "00ff10203a3b3c4d5e6f708192a3b4c5d6e7f801"
OLD, NEW, NEWER = "the-old-password-1", "the-new-password-2", "the-newer-password-3"

TEXTS = st.text(min_size=1, max_size=40)


def which(passwords: Passwords, password: str, station: str = "CP1") -> str | None:
    found = passwords.check(station, password.encode())
    return None if found is None else found[1]


@pytest.mark.parametrize("secret", [Plain(KEY), Hashed.of(KEY)])
@pytest.mark.parametrize(
    ("given_bytes", "form", "exact"),
    [
        (KEY.encode(), "hex", True),
        (KEY.upper().encode(), "hex", False),
        (bytes.fromhex(KEY), "raw bytes", False),
        (KEY[:-1].encode(), None, None),
        (bytes.fromhex(KEY)[:-1], None, None),
        (KEY.encode().hex().encode(), None, None),
        (b"", None, None),
    ],
)
def test_a_hexadecimal_password(
    secret: Plain | Hashed, given_bytes: bytes, form: str | None, exact: bool | None
) -> None:
    match = secret.match(given_bytes)
    assert (match and match.form, match and match.exact) == (form, exact)


@given(TEXTS | st.binary(min_size=1, max_size=20).map(bytes.hex), st.binary(max_size=42) | TEXTS.map(str.encode))
def test_a_password_is_known_in_its_forms_and_in_no_other(password: str, other: bytes) -> None:
    is_hex = len(password) % 2 == 0 and all(letter in "0123456789abcdefABCDEF" for letter in password)
    raw = bytes.fromhex(password) if is_hex else password.encode()
    for tried in (other, password.encode(), raw, raw.hex().encode(), raw.hex().upper().encode()):
        match = Plain(password).match(tried)
        known = tried in (password.encode(), raw) or tried.lower() == raw.hex().encode()
        assert (match is not None) == known
        if match is not None:
            assert match.exact == (tried == password.encode())
            assert match.form == ("hex" if tried.lower() == raw.hex().encode() else "raw bytes" if is_hex else "text")


@example("\0", b"")
@example("abcd\0", b"abcd\0\0")
@example("ab00", b"\xab")
@given(TEXTS, st.binary(max_size=42))
def test_a_hashed_password_judges_as_the_password_itself(password: str, other: bytes) -> None:
    hashed, plain = Hashed.of(password), Plain(password)
    for tried in (other, password.encode(), password.encode().hex().encode()):
        assert hashed.match(tried) == plain.match(tried)


def test_nothing_that_is_kept_tells_the_password(tmp_path: Path) -> None:
    passwords = Passwords(Records(tmp_path), given={"CP1": OLD})
    passwords.propose("CP1", KEY)
    passwords.confirm("CP1")
    file = tmp_path / "stations.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = file.read_bytes()
    assert b"CP1" in kept
    for secret in (OLD, KEY):
        assert secret.encode() not in kept
        assert secret.encode().hex().encode() not in kept
    assert Hashed.of(KEY) != Hashed.of(KEY)  # each has a salt of its own
    assert passwords.secrets == {OLD, KEY}


def test_a_change_that_is_accepted(tmp_path: Path) -> None:
    records = Records(tmp_path)
    passwords = Passwords(records, given={"CP1": OLD})
    passwords.propose("CP1", NEW)
    assert (which(passwords, OLD), which(passwords, NEW)) == ("current", "proposed")
    passwords.confirm("CP1")
    assert (which(passwords, OLD), which(passwords, NEW)) == ("previous", "current")
    # After a restart too, although the bench file still has the old one.
    passwords = Passwords(Records(tmp_path), given={"CP1": OLD})
    assert (which(passwords, OLD), which(passwords, NEW)) == ("previous", "current")
    passwords.used("CP1", "current", NEW.encode())
    assert (which(passwords, OLD), which(passwords, NEW)) == (None, "current")
    assert passwords.is_changed("CP1")


def test_a_change_that_is_refused(tmp_path: Path) -> None:
    passwords = Passwords(Records(tmp_path), given={"CP1": OLD})
    passwords.propose("CP1", NEW)
    passwords.drop("CP1")
    assert (which(passwords, OLD), which(passwords, NEW)) == ("current", None)
    assert b"salt" not in (tmp_path / "stations.json").read_bytes()


def test_a_change_without_an_answer_leaves_both_until_one_is_used(tmp_path: Path) -> None:
    passwords = Passwords(Records(tmp_path), given={"CP1": OLD})
    passwords.propose("CP1", NEW)
    passwords.used("CP1", "current", OLD.encode())
    passwords.propose("CP1", NEWER)
    assert [which(passwords, each) for each in (OLD, NEW, NEWER)] == ["current", "proposed", "proposed"]
    passwords.used("CP1", "proposed", NEW.encode())
    assert [which(passwords, each) for each in (OLD, NEW, NEWER)] == [None, "current", None]


def test_a_new_password_in_the_bench_file_wins(tmp_path: Path) -> None:
    passwords = Passwords(Records(tmp_path), given={"CP1": OLD})
    passwords.propose("CP1", NEW)
    passwords.confirm("CP1")
    later = Passwords(Records(tmp_path), given={"CP1": NEWER})
    assert [which(later, each) for each in (OLD, NEW, NEWER)] == [None, None, "current"]
    passwords.forget("CP1")
    assert [which(passwords, each) for each in (OLD, NEW)] == ["current", None]


def test_the_shared_password_is_for_those_without_their_own(tmp_path: Path) -> None:
    passwords = Passwords(Records(tmp_path), given={"CP1": OLD}, shared=NEW)
    assert (which(passwords, NEW), which(passwords, NEW, "CP2")) == (None, "current")
    passwords.propose("CP2", NEWER)
    passwords.confirm("CP2")
    assert (which(passwords, NEW, "CP2"), which(passwords, NEW, "CP3")) == ("previous", "current")
    assert not Passwords(Records(tmp_path)).knows("CP1")


@pytest.mark.parametrize(
    ("password", "version", "why"),
    [
        (KEY, "1.6", None),
        (KEY[:32], "1.6", None),
        (KEY[:30], "1.6", "it has 15 bytes"),
        (KEY + "00", "1.6", "it has 21 bytes"),
        (OLD, "1.6", "not hexadecimal digits"),
        (KEY[:31], "1.6", "not hexadecimal digits"),
        (OLD, "2.0.1", None),
        ("a" * 64, "2.1", None),
        ("a" * 65, "2.1", "it has 65 characters"),
        ("a" * 15, "2.0.1", "it has 15 characters"),
        ("sixteen letters!", "2.1", "characters that a passwordString may not have"),
    ],
)
def test_what_each_version_allows(password: str, version: str, why: str | None) -> None:
    found = problem_with(password, version)
    assert found is None if why is None else found is not None and why in found


def test_a_file_that_cannot_be_understood(tmp_path: Path) -> None:
    file = tmp_path / "stations.json"
    file.write_text("{")
    file.chmod(0o600)
    with pytest.raises(CsmsError, match="cannot be understood"):
        Records(tmp_path)
    file.chmod(0o640)
    with pytest.raises(CsmsError, match="other users may use it"):
        Records(tmp_path)
