"""Firmware fetched from the file port over a real connection: parts, faults, throttling, and their events."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pilotbench.bench.csms.files import FileFault
from pilotbench.errors import CsmsError

from file_port import FilePort

BODY = bytes(range(256)) * 1200
"""300 KiB in which every place can be told from its neighbours."""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[FilePort]:
    port = FilePort(tmp_path / "uploads", idle_s=0.6)
    yield port
    port.close()


@pytest.fixture(params=["memory", "disk"])
def offered(request: pytest.FixtureRequest, port: FilePort, tmp_path: Path) -> str:
    """The address of `fw.bin`, from memory or from the disk."""
    content: bytes | Path = BODY
    if request.param == "disk":
        content = tmp_path / "some.bin"
        content.write_bytes(BODY)
    return port.do(port.desk.offer, "fw.bin", content, station="CP1")


def test_a_whole_file_is_one_event(port: FilePort, offered: str) -> None:
    before = time.monotonic_ns()
    status, headers, body = port.ask("GET", offered)
    assert (status, body) == (200, BODY)
    assert headers["content-length"] == str(len(BODY))
    assert headers["accept-ranges"] == "bytes"
    told = port.event()
    assert (told["station"], told["dir"], told["path"]) == ("CP1", "download", "/fw/fw.bin")
    assert (told["status"], told["ok"], told["bytes"], told["total_bytes"]) == (200, True, len(BODY), len(BODY))
    assert (told["range"], told["fault"], told["why"]) == (None, None, None)
    assert told["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert told["remote"].startswith("127.0.0.1:")
    stamp = port.events()[0].stamp
    assert before <= told["begun_ns"] <= stamp.lo_ns <= stamp.hi_ns <= time.monotonic_ns()


def test_a_download_that_broke_off_is_resumed(port: FilePort, offered: str) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(cut_after=100_000))
    connection = port.connect(offered)
    connection.request("GET", "/fw/fw.bin")
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    connection.close()
    first = broken.value.partial
    assert len(first) == 100_000
    cut = port.event(1)
    assert (cut["status"], cut["ok"], cut["bytes"], cut["fault"]) == (200, False, 100_000, "cut after 100000")

    resume = {"Range": f"bytes={len(first)}-", "If-Range": answer.getheader("ETag") or ""}
    status, headers, rest = port.ask("GET", offered, headers=resume)
    assert (status, first + rest) == (206, BODY)
    part = f"bytes 100000-{len(BODY) - 1}/{len(BODY)}"
    assert headers["content-range"] == part
    told = port.event(2)
    assert (told["status"], told["ok"], told["bytes"], told["range"]) == (206, True, len(rest), part)


def test_a_part_of_another_file_is_never_sent(port: FilePort) -> None:
    address = port.do(port.desk.offer, "fw.bin", b"old file")
    etag = port.ask("GET", address)[1]["etag"]
    port.do(port.desk.offer, "fw.bin", b"a new file")
    status, _, body = port.ask("GET", address, headers={"Range": "bytes=4-", "If-Range": etag})
    assert (status, body) == (200, b"a new file")
    # A date says nothing certain about a file, so it never matches (RFC 9110 section 13.1.5).
    dated = {"Range": "bytes=4-", "If-Range": "Sat, 21 Nov 2026 10:00:00 GMT"}
    assert port.ask("GET", address, headers=dated)[0] == 200


def test_a_file_on_the_disk_that_was_changed_is_another(port: FilePort, tmp_path: Path) -> None:
    file = tmp_path / "fw.bin"
    file.write_bytes(b"one")
    address = port.do(port.desk.offer, "fw.bin", file)
    etag = port.ask("HEAD", address)[1]["etag"]
    os.utime(file, ns=(1, 1))
    assert port.ask("GET", address, headers={"If-None-Match": etag})[0] == 200


def test_a_part_that_is_not_there(port: FilePort, offered: str) -> None:
    status, headers, _ = port.ask("GET", offered, headers={"Range": f"bytes={len(BODY)}-"})
    assert status == 416
    assert headers["content-range"] == f"bytes */{len(BODY)}"
    told = port.event()
    assert (told["status"], told["ok"], told["bytes"]) == (416, False, 0)


def test_head_says_all_and_sends_nothing(port: FilePort, offered: str) -> None:
    status, headers, body = port.ask("HEAD", offered, headers={"Range": "bytes=0-1"})
    assert (status, headers["content-length"], body) == (200, str(len(BODY)), b"")
    told = port.event()
    assert (told["ok"], told["bytes"], told["total_bytes"]) == (True, 0, len(BODY))
    assert port.ask("GET", offered, headers={"If-None-Match": headers["etag"]})[0] == 304


def test_an_empty_file(port: FilePort) -> None:
    address = port.do(port.desk.offer, "none.bin", b"")
    assert port.ask("GET", address)[::2] == (200, b"")
    assert port.event()["ok"] is True
    assert port.ask("GET", address, headers={"Range": "bytes=0-"})[0] == 416


def test_one_connection_serves_many_requests(port: FilePort, offered: str) -> None:
    connection = port.connect(offered)
    for number in range(1, 4):
        connection.request("GET", "/fw/fw.bin", headers={"Range": f"bytes=0-{number}"})
        assert connection.getresponse().read() == BODY[: number + 1]
        assert port.event(number)["bytes"] == number + 1
    connection.close()
    assert len({event.data["remote"] for event in port.events()}) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/fw/other.bin", 404),
        ("GET", "/fw/../fw.bin", 404),
        ("GET", "/fw/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/fw//etc/passwd", 404),
        ("GET", "/", 404),
        ("GET", "//[x/fw.bin", 404),
        ("GET", "/fw", 404),
        ("DELETE", "/fw/fw.bin", 405),
        ("PUT", "/fw/fw.bin", 405),
    ],
)
def test_what_is_not_offered_is_refused(port: FilePort, method: str, path: str, status: int) -> None:
    base = port.do(port.desk.offer, "fw.bin", b"firmware").removesuffix("/fw/fw.bin")
    connection = port.connect(base)
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, b"root:" in answer.read()) == (status, False)
    connection.close()
    told = port.event()
    assert (told["status"], told["ok"], told["path"]) == (status, False, path)
    assert port.files() == []


def test_what_is_no_http_is_an_event(port: FilePort, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", port.desk.port), timeout=5) as raw:
        raw.sendall(b"USER anonymous\r\n\r\n")
        assert b" 400 " in raw.recv(4096).partition(b"\r\n")[0]
    told = port.event()
    assert (told["status"], told["ok"]) == (400, False)
    assert told["why"].startswith("not HTTP")
    assert caplog.records == []


def test_credentials_of_an_offer(port: FilePort) -> None:
    address = port.do(port.desk.offer, "fw.bin", b"firmware", basic=True)
    place = urlsplit(address)
    bare = f"http://{place.hostname}:{place.port}{place.path}"
    status, headers, _ = port.ask("GET", bare)
    assert (status, headers["www-authenticate"]) == (401, 'Basic realm="pilotbench"')
    assert port.event(1)["why"] == "no or wrong credentials"
    assert port.ask("GET", bare, headers=_basic("download", "wrong"))[0] == 401
    assert port.ask("GET", bare, headers=_basic("download", place.password or ""))[::2] == (200, b"firmware")
    assert not any((place.password or "?") in str(event.data) for event in port.events())


def test_a_request_line_with_the_whole_address_tells_no_password(port: FilePort) -> None:
    place = urlsplit(port.do(port.desk.offer, "fw.bin", b"firmware"))
    connection = port.connect(place.geturl())
    connection.request("GET", f"http://user:secret@{place.netloc}/fw/fw.bin?key=secret#secret")
    assert connection.getresponse().read() == b"firmware"
    connection.close()
    assert port.event()["path"] == "/fw/fw.bin"


def _basic(user: str, password: str) -> dict[str, str]:
    import base64

    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# faults


def _fetch(port: FilePort, address: str) -> tuple[int, bytes]:
    """What a client gets that takes whatever comes."""
    connection = port.connect(address)
    try:
        connection.request("GET", urlsplit(address).path)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead as exc:
            return answer.status, exc.partial
    finally:
        connection.close()


@pytest.mark.parametrize("status", [500, 503, 404])
def test_a_server_error_as_often_as_asked(port: FilePort, offered: str, status: int) -> None:
    port.do(port.desk.fault, offered, FileFault(status=status), times=2)
    got = [_fetch(port, offered)[0] for _ in range(3)]
    assert got == [status, status, 200]
    assert [event.data["fault"] for event in port.events()] == [f"status {status}", f"status {status}", None]


def test_a_fault_for_good_until_it_is_taken_back(port: FilePort, offered: str) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(status=503), times=None)
    assert [_fetch(port, offered)[0] for _ in range(3)] == [503] * 3
    port.do(port.desk.restore, "fw.bin")
    assert _fetch(port, offered) == (200, BODY)


def test_corrupted_content_differs_by_one_bit(port: FilePort, offered: str) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(corrupt=True))
    status, body = _fetch(port, offered)
    differing = [a ^ b for a, b in zip(body, BODY, strict=True) if a != b]
    assert (status, differing) == (200, [1])
    told = port.event()
    assert (told["ok"], told["fault"], told["bytes"]) == (False, "corrupt", len(BODY))
    assert told["sha256"] == hashlib.sha256(body).hexdigest() != hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize("off", [-1000, 1000])
def test_a_wrong_content_length(port: FilePort, offered: str, off: int) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(length_off=off))
    with socket.create_connection(("127.0.0.1", port.desk.port), timeout=5) as raw:
        raw.sendall(b"GET /fw/fw.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b"".join(iter(lambda: raw.recv(1 << 16), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(BODY) + off}".encode() in head
    assert body == BODY
    assert port.event()["ok"] is False


def test_a_stall_in_the_middle(port: FilePort, offered: str) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(stall_after=1000, stall_s=0.15))
    connection = port.connect(offered)
    connection.request("GET", "/fw/fw.bin")
    answer = connection.getresponse()
    assert answer.read(1000) == BODY[:1000]
    begun = time.monotonic()
    assert answer.read() == BODY[1000:]
    assert time.monotonic() - begun > 0.1
    connection.close()
    assert port.event()["ok"] is True


def test_a_station_that_gives_up_a_stalled_download_is_an_event_at_once(port: FilePort, offered: str) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(stall_after=1000))
    connection = port.connect(offered)
    connection.request("GET", "/fw/fw.bin")
    connection.getresponse().read(1000)
    connection.close()
    told = port.event()
    assert (told["status"], told["ok"], told["bytes"]) == (200, False, 1000)
    assert told["why"] == "the station closed the connection"


def test_a_station_that_takes_nothing_is_not_waited_for_without_end(port: FilePort) -> None:
    address = port.do(port.desk.offer, "big.bin", bytes(32 << 20))
    with socket.create_connection(("127.0.0.1", port.desk.port), timeout=5) as raw:
        raw.sendall(f"GET {urlsplit(address).path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        told = port.event()
    assert (told["ok"], told["why"]) == (False, "the station took nothing for 0.6 s")
    assert 0 < told["bytes"] < 32 << 20


def _lasts_s(port: FilePort, address: str) -> float:
    begun = time.monotonic()
    assert _fetch(port, address) == (200, BODY[:40_000])
    return time.monotonic() - begun


@pytest.mark.parametrize("by", ["offer", "fault"])
def test_half_the_pace_takes_twice_the_time(port: FilePort, by: str) -> None:
    lasted: list[float] = []
    for pace in (400_000.0, 200_000.0):
        options: dict[str, Any] = {"bytes_per_s": pace} if by == "offer" else {}
        address = port.do(port.desk.offer, "fw.bin", BODY[:40_000], **options)
        if by == "fault":
            port.do(port.desk.fault, "fw.bin", FileFault(bytes_per_s=pace))
        lasted.append(_lasts_s(port, address))
    unhurried = _lasts_s(port, port.do(port.desk.offer, "fw.bin", BODY[:40_000]))
    assert 1.5 < lasted[1] / lasted[0] < 2.7
    assert unhurried < lasted[0] / 3


def test_closing_ends_a_transfer_with_its_event(port: FilePort, offered: str) -> None:
    port.do(port.desk.fault, "fw.bin", FileFault(stall_after=1000))
    connection = port.connect(offered)
    connection.request("GET", "/fw/fw.bin")
    connection.getresponse().read(1000)
    port.call(port.desk.close())
    told = port.event()
    assert (told["ok"], told["bytes"], told["why"]) == (False, 1000, "the bench closes the file port")
    connection.close()


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\\b", "a\0b"])
def test_a_name_that_says_where_is_not_offered(port: FilePort, name: str) -> None:
    with pytest.raises(CsmsError, match="is no name of a file"):
        port.do(port.desk.offer, name, b"")


def test_a_file_that_is_not_there(port: FilePort, tmp_path: Path) -> None:
    with pytest.raises(CsmsError, match="there is no such file"):
        port.do(port.desk.offer, "fw.bin", tmp_path / "none.bin")
    file = tmp_path / "fw.bin"
    file.write_bytes(b"x")
    address = port.do(port.desk.offer, "fw.bin", file)
    file.unlink()
    assert _fetch(port, address)[0] == 500
    assert "cannot be read" in port.event()["why"]


def test_a_port_that_is_taken_and_one_that_leads_nowhere(port: FilePort, tmp_path: Path) -> None:
    for options, why in (({"port": port.desk.port}, "in use"), ({"host": "0.0.0.0"}, "public_host")):
        with pytest.raises(CsmsError, match=why):
            _opened(tmp_path / "other", options)


def _opened(folder: Path, options: dict[str, Any]) -> None:
    import asyncio

    from pilotbench.bench.csms.files import FileDesk
    from pilotbench.bench.timeline import Timeline

    async def whole() -> None:
        desk = FileDesk(Timeline().source("csms"), folder, **options)
        try:
            await desk.start()
        finally:
            await desk.close()

    asyncio.run(whole())


def test_nobody_else_may_look_into_the_folder(port: FilePort) -> None:
    assert port.folder.stat().st_mode & 0o777 == 0o700
