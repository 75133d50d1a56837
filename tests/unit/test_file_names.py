"""Names, ranges, forms and orders of the file port, without a port."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.csms.files import FileFault
from pilotbench.bench.csms.files.courses import DIAGNOSTICS_16, FIRMWARE, FIRMWARE_16, LOG, PUBLISHING, Progress
from pilotbench.bench.csms.files.forms import Form, FormError, boundary_of
from pilotbench.bench.csms.files.names import disposition_name, holds_path, safe_name
from pilotbench.bench.csms.files.ranges import Unsatisfiable, wanted
from pilotbench.bench.csms.files.slots import Slot
from pilotbench.bench.csms.schemas import Schemas
from pilotbench.errors import CsmsError

nasty = st.text(max_size=300) | st.lists(st.sampled_from(["..", "/", "\\", "a", ".", "\0", "%2e", "~"])).map("".join)
HARMLESS = set(string.ascii_letters + string.digits + "._-")


@given(station=nasty, kind=nasty, name=st.none() | nasty)
def test_no_name_of_an_upload_leaves_the_folder(station: str, kind: str, name: str | None) -> None:
    slot = Slot(station, kind, "http://127.0.0.1:1", basic=False)
    called = slot.file_name(name)
    folder = Path("/uploads/here")
    assert (folder / called).parent == folder
    assert set(called) <= HARMLESS
    assert called[0] in string.ascii_letters + string.digits
    assert len(called) < 200


def test_two_slots_never_share_a_name() -> None:
    first, second = (Slot("CP1", "log", "http://127.0.0.1:1", basic=False) for _ in range(2))
    assert first.file_name("log.txt") != second.file_name("log.txt")


@given(nasty)
def test_a_name_without_a_path_has_no_path(name: str) -> None:
    if not holds_path(name):
        assert Path("/f") / name == Path("/f") if name == "" else (Path("/f") / name).parent == Path("/f")


def test_the_end_of_a_long_name_stays() -> None:
    assert safe_name("x" * 500 + ".tar.gz", "none").endswith(".tar.gz")
    assert safe_name("Protokoll vom 3. März.zip", "none") == "Protokoll_vom_3._M_rz.zip"
    assert safe_name("...", "none") == "none"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('form-data; name="uploadfile"; filename="logfile_20210420.zip"', "logfile_20210420.zip"),
        ("attachment; filename=log.txt", "log.txt"),
        ("attachment; filename*=UTF-8''M%C3%A4rz.txt", "März.txt"),
        ("attachment", None),
        ("", None),
        (None, None),
    ],
)
def test_the_name_in_a_content_disposition(header: str | None, name: str | None) -> None:
    assert disposition_name(header) == name


@given(st.text(max_size=200))
def test_no_content_disposition_is_too_odd(header: str) -> None:
    found = disposition_name(header)
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=10-", (10, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=90-500", (90, 99)),
        ("BYTES = 1 - 2 ", (1, 2)),
        ("bytes=9-3", None),
        ("bytes=1-2,4-5", None),
        ("lines=1-2", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=٣-", None),
        (None, None),
    ],
)
def test_the_part_that_is_wanted(header: str | None, span: tuple[int, int] | None) -> None:
    assert wanted(header, 100) == span


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_a_part_that_is_not_there(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(header, size)


def _read(form: Form, pieces: list[bytes]) -> list[tuple[str | None, bytes]]:
    parts: list[tuple[str | None, bytearray]] = []
    for piece in pieces:
        for found in form.feed(piece):
            if isinstance(found, bytes):
                parts[-1][1].extend(found)
            else:
                parts.append((found.get("X-Name"), bytearray()))
    return [(name, bytes(content)) for name, content in parts]


@given(st.data())
def test_a_form_reads_the_same_in_whatever_pieces_it_comes(data: st.DataObject) -> None:
    content = st.lists(st.sampled_from([b"\r\n", b"--", b"-", b"b", b"\r", b"x", b"--b", b"\r\n--"])).map(b"".join)
    contents = [each for each in data.draw(st.lists(content, max_size=3)) if b"\r\n--b" not in b"\r\n" + each]
    body = b"preamble"
    for number, each in enumerate(contents):
        body += b"\r\n--b\r\nX-Name: %d\r\n\r\n" % number + each
    body += b"\r\n--b--\r\nepilogue"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    form = Form(b"b")
    assert _read(form, pieces) == [(str(number), each) for number, each in enumerate(contents)]
    assert form.ended


def test_a_form_may_begin_with_its_boundary_and_a_part_without_headers() -> None:
    form = Form(b"b")
    assert _read(form, [b"--b\r\n\r\nhello\r\n--b--"]) == [(None, b"hello")]


@pytest.mark.parametrize("body", [b"--bx\r\n", b"--b" + b" " * 300, b"--b\r\nA: " + b"x" * 9000])
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(FormError):
        list(Form(b"b").feed(body))


@pytest.mark.parametrize("header", ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 71, ""])
def test_a_form_needs_a_boundary(header: str) -> None:
    with pytest.raises(FormError):
        boundary_of(header)


@pytest.mark.parametrize(
    "fault",
    [{}, {"status": 200}, {"cut_after": -1}, {"bytes_per_s": 0.0}, {"stall_after": 1, "stall_s": -1.0}],
)
def test_a_fault_that_says_nothing_or_nonsense(fault: dict[str, float]) -> None:
    with pytest.raises(CsmsError):
        FileFault(**fault)


@pytest.mark.parametrize(
    ("course", "folder", "suffix", "action"),
    [
        (FIRMWARE_16, "v16", "", "FirmwareStatusNotification"),
        (FIRMWARE, "v16", "", "SignedFirmwareStatusNotification"),
        (DIAGNOSTICS_16, "v16", "", "DiagnosticsStatusNotification"),
        (FIRMWARE, "v201", "Request", "FirmwareStatusNotification"),
        (PUBLISHING, "v201", "Request", "PublishFirmwareStatusNotification"),
        (LOG, "v21", "Request", "LogStatusNotification"),
    ],
)
def test_every_word_of_the_schema_has_its_place(course: object, folder: str, suffix: str, action: str) -> None:
    schema = Schemas(folder, suffix).schema(action, "request")
    words = [
        part["enum"]
        for part in [*schema.get("definitions", {}).values(), schema["properties"]["status"]]
        if "enum" in part
    ]
    known = set(course) - {""}  # type: ignore[call-overload]
    assert known == set(words[0]) - {"Idle"}


@pytest.mark.parametrize(
    ("course", "told", "wrong"),
    [
        (FIRMWARE, "Downloading Downloaded SignatureVerified Installing InstallRebooting Installed", ""),
        (
            FIRMWARE,
            "DownloadScheduled Downloading DownloadPaused Downloading Downloaded InstallScheduled Installing Installed",
            "",
        ),
        (FIRMWARE, "Downloading Downloading DownloadFailed", ""),
        (FIRMWARE, "Downloading Downloaded Installed", ""),
        (FIRMWARE, "Downloaded", "Downloaded"),
        (FIRMWARE, "Downloading Installing", "Installing"),
        (FIRMWARE, "Downloading Downloaded InvalidSignature Installing", "Installing"),
        (FIRMWARE, "Downloading Downloaded Installing Downloading", "Downloading"),
        (FIRMWARE_16, "Downloading DownloadFailed Downloading Downloaded Installing Installed", ""),
        (FIRMWARE_16, "Downloading Installed", "Installed"),
        (LOG, "Uploading UploadFailure Uploading Uploaded", ""),
        (LOG, "Uploaded", "Uploaded"),
        (LOG, "Uploading Uploaded Uploading", "Uploading"),
        (DIAGNOSTICS_16, "Uploading Uploaded", ""),
        (PUBLISHING, "Downloading Downloaded ChecksumVerified Published", ""),
        (PUBLISHING, "Downloading Published", "Published"),
    ],
)
def test_the_order_of_statuses(course: dict[str, frozenset[str]], told: str, wrong: str) -> None:
    progress = Progress(course)
    found = [status for status in told.split() if progress.take(status) is not None]
    assert found == wrong.split()


def test_what_was_told_while_the_station_was_away_is_not_missed() -> None:
    progress = Progress(FIRMWARE)
    progress.gap()
    assert progress.take("Installing") is None
    assert progress.take("Downloading") is not None
    progress.gap()
    assert progress.take("Downloaded") is None
    progress.gap()
    assert progress.take("Downloading") is not None
