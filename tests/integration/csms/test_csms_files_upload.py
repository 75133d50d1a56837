"""Logs uploaded to the file port over a real connection: what is taken, what is refused, and that nothing stays."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pilotbench.bench.csms.files import FileFault, Slot
from pilotbench.bench.csms.security import Pki
from pilotbench.bench.csms.security.issuing import Authority, key_pem, new_ec_key, self_signed, text_of
from pilotbench.errors import StationTimeout

from file_port import FilePort

MOST = 1_000_000
LOG = b"what happened\r\n--b\r\n" * 40_000
"""800 kB, with what could be taken for the end of a form; several blocks of what is written to the disk at once."""
HALF = len(LOG) // 2


@pytest.fixture
def port(tmp_path: Path) -> Iterator[FilePort]:
    port = FilePort(tmp_path / "uploads", idle_s=0.6, max_upload_bytes=MOST)
    yield port
    port.close()


@pytest.fixture
def slot(port: FilePort) -> Slot:
    return port.do(port.desk.log_slot, "CP 1", "diagnostics")


def form(*parts: tuple[str, bytes], end: bytes = b"--") -> tuple[bytes, dict[str, str]]:
    """A form: (Content-Disposition without its type, content) for each part."""
    body = b"".join(
        b"--b0undary\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (how.encode(), content)
        for how, content in parts
    )
    headers = {"Content-Type": 'multipart/form-data; boundary="b0undary"'}
    return body + b"--b0undary" + end + b"\r\n", headers


def kept(port: FilePort) -> Path:
    """The one file in the folder."""
    (name,) = port.files()
    return port.folder / name


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    ("after", "disposition", "ends_with"),
    [
        ("diag.tar.gz", None, "-diag.tar.gz"),
        ("", 'form-data; name="uploadfile"; filename="logfile.zip"', "-logfile.zip"),
        ("", None, "-diagnostics"),
        ("Protokoll%20%C3%A4.zip", None, "-Protokoll_.zip"),
    ],
)
def test_a_raw_upload(
    port: FilePort, slot: Slot, method: str, after: str, disposition: str | None, ends_with: str
) -> None:
    headers = {"Content-Disposition": disposition} if disposition else {}
    assert port.ask(method, slot.url + after, LOG, headers)[0] == 201
    told = port.event()
    file = kept(port)
    assert file.read_bytes() == LOG
    assert file.name.startswith("CP_1-diagnostics-")
    assert file.name.endswith(ends_with)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (told["station"], told["dir"], told["status"], told["ok"]) == ("CP 1", "upload", 201, True)
    assert (told["bytes"], told["total_bytes"], told["file"]) == (len(LOG), len(LOG), file.name)
    assert told["sha256"] == hashlib.sha256(LOG).hexdigest()
    upload = port.call(slot.wait(1.0))
    assert (upload.path, upload.size, upload.sha256) == (file, len(LOG), told["sha256"])


def test_the_address_without_its_last_slash_serves_too(port: FilePort, slot: Slot) -> None:
    assert port.ask("PUT", slot.url.rstrip("/"), LOG)[0] == 201
    assert kept(port).read_bytes() == LOG


def test_a_form_with_other_fields(port: FilePort, slot: Slot) -> None:
    body, headers = form(('name="station"', b"CP1"), ('name="f"; filename="log.txt"', LOG), ('name="x"', b"1"))
    assert port.ask("POST", slot.url, body, headers)[0] == 201
    assert kept(port).read_bytes() == LOG
    assert kept(port).name.endswith("-log.txt")
    told = port.event()
    assert (told["ok"], told["bytes"]) == (True, len(LOG))
    assert slot.received is not None
    assert slot.received.name == "log.txt"


def test_a_body_of_unknown_length(port: FilePort, slot: Slot) -> None:
    pieces = (LOG[at : at + 1000] for at in range(0, len(LOG), 1000))
    assert port.ask("PUT", slot.url, pieces, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})[0] == 201
    assert kept(port).read_bytes() == LOG
    assert port.event()["total_bytes"] is None


def test_what_is_packed_stays_packed(port: FilePort, slot: Slot) -> None:
    import gzip

    packed = gzip.compress(LOG)
    assert port.ask("PUT", slot.url, packed, {"Content-Encoding": "gzip"})[0] == 201
    assert kept(port).read_bytes() == packed


def test_a_slot_takes_one_file(port: FilePort, slot: Slot) -> None:
    assert port.ask("PUT", slot.url + "one", b"1")[0] == 201
    assert port.ask("PUT", slot.url + "two", b"2")[0] == 410
    told = port.event(2)
    assert (told["status"], told["ok"], told["file"]) == (410, False, None)
    assert kept(port).read_bytes() == b"1"


def test_an_empty_file_is_a_file(port: FilePort, slot: Slot) -> None:
    assert port.ask("PUT", slot.url, b"", {"Content-Length": "0"})[0] == 201
    assert kept(port).read_bytes() == b""


# refusals: each an event, and no file


def refused(port: FilePort, status: int, why: str) -> None:
    told = port.event()
    assert (told["dir"], told["status"], told["ok"], told["file"]) == ("upload", status, False, None)
    assert why in told["why"]
    assert port.files() == []


@pytest.mark.parametrize(
    "after",
    ["..%2F..%2Fevil", "%2Fetc%2Fpasswd", "..", "..%5Cevil", "a%2Fb", "a%00b", "logs/evil", "../../evil"],
)
def test_a_path_in_the_address(port: FilePort, slot: Slot, after: str) -> None:
    status = port.ask("PUT", slot.url + after, b"evil")[0]
    assert status == 400
    refused(port, 400, "address names folders" if "/" in after else "says where to put the file")
    assert not list(port.folder.parent.glob("**/*evil*"))


@pytest.mark.parametrize("name", ["../evil", "/etc/cron.d/evil", "..\\\\evil", ".."])
@pytest.mark.parametrize("how", ["raw", "form"])
def test_a_path_in_the_name(port: FilePort, slot: Slot, name: str, how: str) -> None:
    disposition = f'name="f"; filename="{name}"'
    body, headers = form((disposition, b"evil")) if how == "form" else (b"evil", {})
    if how == "raw":
        headers["Content-Disposition"] = f"attachment; {disposition}"
    assert port.ask("POST", slot.url, body, headers)[0] == 400
    refused(port, 400, "says where to put the file")


def test_an_upload_that_nobody_asked_for(port: FilePort, slot: Slot) -> None:
    wrong = slot.url[:-2] + ("a" if slot.url[-2] != "a" else "b") + "/log.txt"
    assert port.ask("PUT", wrong, LOG)[0] == 404
    refused(port, 404, "no upload is expected")


def test_an_upload_beside_the_slots(port: FilePort) -> None:
    assert port.ask("PUT", f"{port.desk.url}/log.txt", LOG)[0] == 404
    refused(port, 404, "nothing here")


def test_only_put_and_post(port: FilePort, slot: Slot) -> None:
    status, headers, _ = port.ask("PATCH", slot.url, LOG)
    assert (status, headers["allow"]) == (405, "PUT, POST")
    refused(port, 405, "PATCH")


def test_too_much_announced(port: FilePort, slot: Slot) -> None:
    assert port.ask("PUT", slot.url, bytes(MOST + 1))[0] == 413
    refused(port, 413, f"{MOST + 1} bytes are announced")


def test_the_most_that_is_allowed(port: FilePort, slot: Slot) -> None:
    assert port.ask("PUT", slot.url, bytes(MOST))[0] == 201


@pytest.mark.parametrize("how", ["chunked", "form"])
def test_too_much_that_was_not_announced(port: FilePort, slot: Slot, how: str) -> None:
    if how == "form":
        body, headers = form(('name="f"; filename="log"', bytes(MOST + 1)))
        assert port.ask("POST", slot.url, body, headers)[0] == 413
    else:
        pieces = iter([bytes(MOST), b"x"])
        assert port.ask("PUT", slot.url, pieces, {"Transfer-Encoding": "chunked"}, encode_chunked=True)[0] == 413
    refused(port, 413, f"longer than {MOST}")


def test_a_form_with_too_much_beside_its_file(port: FilePort, slot: Slot) -> None:
    body, headers = form(('name="x"', bytes(100_000)), ('name="f"; filename="log"', b"1"))
    assert port.ask("POST", slot.url, body, headers)[0] == 413
    refused(port, 413, "beside the file")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (form(('name="f"', b"1")), "no file"),
        (form(('name="f"; filename="a"', b"1"), ('name="g"; filename="b"', b"2")), "more than one file"),
        (form(('name="f"; filename="a"', b"1"), end=b""), "ends before its last boundary"),
        ((b"no form", {"Content-Type": "multipart/form-data"}), "no boundary"),
        ((b"no form", {"Content-Type": "multipart/form-data; boundary=b"}), "ends before its last boundary"),
    ],
)
def test_a_form_that_is_none(port: FilePort, slot: Slot, body: tuple[bytes, dict[str, str]], why: str) -> None:
    assert port.ask("POST", slot.url, *body)[0] == 400
    refused(port, 400, why)


def test_a_part_of_a_file(port: FilePort, slot: Slot) -> None:
    assert port.ask("PUT", slot.url, b"12345", {"Content-Range": "bytes 5-9/10"})[0] == 400
    refused(port, 400, "parts are not taken")


def test_a_body_without_length(port: FilePort, slot: Slot) -> None:
    with socket.create_connection(("127.0.0.1", port.desk.port), timeout=5) as raw:
        raw.sendall(f"PUT {urlsplit(slot.url).path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b" 411 " in raw.recv(4096)
    refused(port, 411, "Content-Length")


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("given", ["nothing", "another password", "another scheme", "no base64"])
def test_an_upload_without_the_password(port: FilePort, given: str) -> None:
    slot = port.do(port.desk.log_slot, "CP1", "log", basic=True)
    assert slot.basic is not None
    headers = {
        "nothing": {},
        "another password": _basic(slot.basic.user, "guess"),
        "another scheme": {"Authorization": f"Bearer {slot.basic.password}"},
        "no base64": {"Authorization": "Basic *"},
    }[given]
    status, answered, _ = port.ask("PUT", slot.url, LOG, headers)
    assert (status, answered["www-authenticate"]) == (401, 'Basic realm="pilotbench"')
    refused(port, 401, "no or wrong credentials")


def test_an_upload_with_the_password_of_the_address(port: FilePort) -> None:
    slot = port.do(port.desk.log_slot, "CP1", "log", basic=True)
    place = urlsplit(slot.url)
    assert port.ask("PUT", slot.url, LOG, _basic(place.username or "", place.password or ""))[0] == 201
    assert kept(port).read_bytes() == LOG
    assert not any((place.password or "?") in str(event.data) for event in port.events())


def test_a_refusal_comes_before_the_body_when_the_station_waits_for_it(port: FilePort, slot: Slot) -> None:
    head = f"PUT {urlsplit(slot.url).path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
    with socket.create_connection(("127.0.0.1", port.desk.port), timeout=5) as raw:
        raw.sendall(f"{head}{MOST + 1}\r\n\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")
    refused(port, 413, "announced")
    with socket.create_connection(("127.0.0.1", port.desk.port), timeout=5) as raw:
        raw.sendall(f"{head}5\r\n\r\n".encode())
        assert raw.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"hello")
        assert raw.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert kept(port).read_bytes() == b"hello"


def test_a_full_disk(port: FilePort, slot: Slot) -> None:
    port.folder.rmdir()
    assert port.ask("PUT", slot.url, LOG)[0] == 507
    told = port.event()
    assert (told["ok"], told["status"]) == (False, 507)
    port.folder.mkdir()
    assert port.ask("PUT", slot.url, LOG)[0] == 201


# transfers that break off


def _half(port: FilePort, slot: Slot) -> socket.socket:
    """An upload of which half has come, and a part of it lies on the disk."""
    raw = socket.create_connection(("127.0.0.1", port.desk.port), timeout=5)
    raw.sendall(f"PUT {urlsplit(slot.url).path}log HTTP/1.1\r\nHost: x\r\nContent-Length: {len(LOG)}\r\n\r\n".encode())
    raw.sendall(LOG[:HALF])
    deadline = time.monotonic() + 5
    while not port.files() and time.monotonic() < deadline:
        time.sleep(0.005)
    (part,) = port.files()
    assert part.startswith(".part-")
    return raw


def test_a_station_that_leaves_in_the_middle(port: FilePort, slot: Slot) -> None:
    _half(port, slot).close()
    told = port.event()
    assert (told["station"], told["status"], told["ok"], told["bytes"]) == ("CP 1", 0, False, HALF)
    assert (told["total_bytes"], told["file"]) == (len(LOG), None)
    assert "connection was lost" in told["why"]
    assert port.files() == []
    assert port.ask("PUT", slot.url + "log", LOG)[0] == 201, "it may be tried again"


def test_a_station_that_falls_silent(port: FilePort, slot: Slot) -> None:
    with _half(port, slot):
        told = port.event()
    assert (told["ok"], told["bytes"], told["why"]) == (False, HALF, "nothing came for 0.6 s")
    assert port.files() == []


def test_closing_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    port = FilePort(tmp_path / "uploads")
    slot = port.do(port.desk.log_slot, "CP1")
    with _half(port, slot):
        port.call(port.desk.close())
        told = port.event()
    assert (told["ok"], told["why"]) == (False, "the bench closes the file port")
    assert port.files() == []
    port.close()


def test_a_second_upload_at_the_same_time(port: FilePort, slot: Slot) -> None:
    with _half(port, slot) as first:
        assert port.ask("PUT", slot.url, b"other")[0] == 409
        first.sendall(LOG[HALF:])
        assert first.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert kept(port).read_bytes() == LOG
    assert [event.data["status"] for event in port.events()] == [409, 201]


@pytest.mark.parametrize(
    ("fault", "label"), [(FileFault(cut_after=1000), "cut after 1000"), (FileFault(status=503), "status 503")]
)
def test_faults_of_an_upload(port: FilePort, slot: Slot, fault: FileFault, label: str) -> None:
    port.do(port.desk.fault, slot, fault)
    if fault.status:
        assert port.ask("PUT", slot.url, LOG)[0] == 503
    else:
        with pytest.raises((ConnectionError, ssl.SSLError, OSError)):
            port.ask("PUT", slot.url, LOG)
    told = port.event()
    assert (told["ok"], told["fault"], told["file"]) == (False, label, None)
    assert port.files() == []
    assert port.ask("PUT", slot.url, LOG)[0] == 201


def test_an_upload_at_half_the_pace_takes_twice_the_time(port: FilePort) -> None:
    lasted: list[float] = []
    for pace in (8_000_000.0, 4_000_000.0, None):
        slot = port.do(port.desk.log_slot, "CP1")
        if pace is not None:
            port.do(port.desk.fault, slot, FileFault(bytes_per_s=pace))
        begun = time.monotonic()
        assert port.ask("PUT", slot.url, LOG)[0] == 201
        lasted.append(time.monotonic() - begun)
    assert 1.5 < lasted[1] / lasted[0] < 2.7
    assert lasted[2] < lasted[0] / 3


def test_waiting_for_an_upload(port: FilePort, slot: Slot) -> None:
    later = threading.Timer(0.05, port.ask, ("PUT", slot.url + "log.txt", LOG))
    later.start()
    assert port.call(slot.wait(5.0)).size == len(LOG)
    later.join()
    other = port.do(port.desk.log_slot, "CP2", "log")
    with pytest.raises(StationTimeout, match="CP2 uploaded no log"):
        port.call(other.wait(0.01))


# TLS


def _context(pki: Pki) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.csms_chain, pki.csms_key)
    return context


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


@pytest.fixture
def secure(tmp_path: Path, pki: Pki) -> Iterator[FilePort]:
    port = FilePort(tmp_path / "uploads", tls=_context(pki))
    yield port
    port.close()


def test_both_directions_over_tls(secure: FilePort, pki: Pki) -> None:
    trusting = ssl.create_default_context(cadata=pki.root_pem)
    address = secure.do(secure.desk.offer, "fw.bin", LOG)
    slot = secure.do(secure.desk.log_slot, "CP1")
    assert address.startswith("https://")
    for method, url, body in (("GET", address, None), ("PUT", slot.url, LOG)):
        connection = secure.connect(url, trusting)
        connection.request(method, urlsplit(url).path, body)
        answer = connection.getresponse()
        assert (answer.status, answer.read() in (LOG, b"taken\n")) == (200 if body is None else 201, True)
        connection.close()
    assert [event.data["ok"] for event in secure.events()] == [True, True]


def test_a_station_that_does_not_trust_the_certificate_is_an_event(secure: FilePort) -> None:
    address = secure.do(secure.desk.offer, "fw.bin", LOG)
    with pytest.raises(ssl.SSLCertVerificationError):
        secure.ask("GET", address)
    told = secure.event()
    assert (told["ok"], told["status"], told["bytes"]) == (False, 0, 0)
    assert "unknown ca" in told["why"]


def test_plain_http_on_the_tls_port_is_an_event(secure: FilePort) -> None:
    with socket.create_connection(("127.0.0.1", secure.desk.port), timeout=5) as raw:
        raw.sendall(b"GET /fw/fw.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not raw.recv(4096).startswith(b"HTTP")
    assert "http request" in secure.event()["why"]


def test_an_expired_certificate_on_a_port_of_its_own(port: FilePort, tmp_path: Path) -> None:
    root_key, key = new_ec_key(), new_ec_key()
    root = Authority(self_signed("another root", "test", root_key), root_key)
    chain = text_of(root.server(["127.0.0.1"], "test", key.public_key(), days=1.0, expired=True))
    (tmp_path / "bad.pem").write_text(chain + key_pem(key))
    expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expired.load_cert_chain(tmp_path / "bad.pem")
    base = port.call(port.desk.also_listen(expired))
    address = port.do(port.desk.offer, "fw.bin", LOG)
    moved = port.desk.moved(address, base)
    trusting = ssl.create_default_context(cadata=text_of(root.certificate))
    connection = port.connect(moved, trusting)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connection.request("GET", urlsplit(moved).path)
    connection.close()
    assert "certificate expired" in port.event(1)["why"]
    assert port.ask("GET", address)[::2] == (200, LOG), "the other port is as it was"
