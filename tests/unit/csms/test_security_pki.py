"""The bench's own authority: what it signs, what it refuses, and where its keys lie."""

from __future__ import annotations

import datetime
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from pilotbench.bench.csms.security import Pki
from pilotbench.errors import CsmsError

NOW = datetime.datetime.now(datetime.UTC)


def csr(common_name: str | None, key: object = None, *, organisation: str | None = None, broken: bool = False) -> str:
    """A station's request, in PEM; `broken`: altered after it was signed."""
    given = {NameOID.COMMON_NAME: common_name, NameOID.ORGANIZATION_NAME: organisation}
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in given.items() if text is not None])
    key = key or ec.generate_private_key(ec.SECP256R1())
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)  # type: ignore[arg-type]
    if not broken:
        return made.public_bytes(serialization.Encoding.PEM).decode()
    raw = bytearray(made.public_bytes(serialization.Encoding.DER))
    raw[raw.index(b"CP1")] ^= 1
    return x509.load_der_x509_csr(bytes(raw)).public_bytes(serialization.Encoding.PEM).decode()


def leaf(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def openssl(folder: Path, root_pem: str, chain_pem: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What an independent implementation says of a chain."""
    certificates = x509.load_pem_x509_certificates(chain_pem.encode())
    pems = [each.public_bytes(serialization.Encoding.PEM).decode() for each in certificates]
    for name, text in {"root": root_pem, "leaf": pems[0], "between": "".join(pems[1:])}.items():
        (folder / name).write_text(text)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(folder / "root"), *options]
    between = ["-untrusted", str(folder / "between")] if pems[1:] else []
    return subprocess.run([*command, *between, str(folder / "leaf")], capture_output=True, text=True, check=False)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "state" / "pki")
    pki.rsa_server()
    assert stat.S_IMODE(pki.folder.stat().st_mode) == 0o700
    assert len(list(pki.folder.glob("*.key"))) == 6
    assert {stat.S_IMODE(file.stat().st_mode) for file in pki.folder.iterdir()} == {0o600}


def test_a_second_start_finds_the_same_authority(tmp_path: Path) -> None:
    one, two = Pki(tmp_path / "pki"), Pki(tmp_path / "pki")
    assert (one.root_pem, one.v2g_root_pem, one.mo_root_pem) == (two.root_pem, two.v2g_root_pem, two.mo_root_pem)
    before = one.csms_chain.read_bytes()
    assert Pki(tmp_path / "pki", hosts=["bench.lab"]).csms_chain.read_bytes() != before


def test_the_server_certificate_names_its_hosts(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki", hosts=["bench.lab", "10.1.2.3"])
    for chain, _ in ((pki.csms_chain, pki.csms_key), pki.rsa_server()):
        text = chain.read_text()
        for name in ("bench.lab", "localhost"):
            assert (
                openssl(tmp_path, pki.root_pem, text, "-purpose", "sslserver", "-verify_hostname", name).returncode == 0
            )
        for address in ("10.1.2.3", "127.0.0.1", "::1"):
            assert openssl(tmp_path, pki.root_pem, text, "-purpose", "sslserver", "-verify_ip", address).returncode == 0
        assert leaf(text).subject.rfc4514_string() == "CN=bench.lab,O=pilotbench"


def test_a_request_is_signed_for_its_station(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    for key in (None, rsa.generate_private_key(65537, 2048)):
        signed = pki.sign_station(csr("CP1", key), station="CP1", days=10)
        assert openssl(tmp_path, pki.root_pem, signed, "-purpose", "sslclient").returncode == 0
        assert 9 < (leaf(signed).not_valid_after_utc - NOW).total_seconds() / 86400 < 10.1
    again = pki.sign_station(csr("CP1"), station="CP1")
    assert leaf(again).serial_number != leaf(signed).serial_number
    assert leaf(pki.sign_station(csr("SN-7"), station="CP1", names=["SN-7"])).subject.rfc4514_string() == "CN=SN-7"


def test_an_expired_one_is_expired_and_nothing_else(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    for pem in (
        pki.sign_station(csr("CP1"), station="CP1", expired=True),
        pki.make_station("CP1", expired=True)[0],
    ):
        assert "certificate has expired" in openssl(tmp_path, pki.root_pem, pem).stderr
        assert openssl(tmp_path, pki.root_pem, pem, "-no_check_time").returncode == 0
    assert (
        "certificate has expired"
        in openssl(tmp_path, pki.v2g_root_pem, pki.sign_v2g(csr("SECC1"), expired=True)).stderr
    )


def test_v2g_and_contract_chains(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    assert openssl(tmp_path, pki.v2g_root_pem, pki.sign_v2g(csr("SECC1"))).returncode == 0
    assert openssl(tmp_path, pki.mo_root_pem, pki.make_contract("DEPNXC0000001")[0]).returncode == 0
    assert openssl(tmp_path, pki.root_pem, pki.sign_v2g(csr("SECC1"))).returncode != 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "no PEM of a certificate request"),
        (csr("CP1", broken=True), "not signed by the key it holds"),
        (csr("CP2"), r"the CN of the request is 'CP2'; it must be 'CP1' or 'SN-7'"),
        (csr(None), "the CN of the request is None"),
        (csr("CP1", rsa.generate_private_key(65537, 1024)), "has 1024 bits; at least 2048"),
        (csr("CP1", ec.generate_private_key(ec.SECP192R1())), "has 192 bits; at least 224"),
        (csr("CP1", ed25519.Ed25519PrivateKey.generate()), "a key of type Ed25519PublicKey"),
        (csr("CP1", organisation="Other"), "the O of the request is 'Other'; it must be 'Lab'"),
        (csr("CP1"), "the O of the request is None; it must be 'Lab'"),
    ],
)
def test_a_request_that_is_not_signed(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(CsmsError, match=why):
        Pki(tmp_path / "pki").sign_station(text, station="CP1", names=["SN-7"], owner="Lab")


def _open_to_all(folder: Path) -> None:
    (folder / "root.key").chmod(0o644)


def _missing(folder: Path) -> None:
    (folder / "root.key").unlink()


def _garbled(folder: Path) -> None:
    (folder / "root.key").write_text("-----BEGIN nothing")


def _another(folder: Path) -> None:
    (folder / "root.key").write_bytes((folder / "mo-root.key").read_bytes())


def _open_folder(folder: Path) -> None:
    folder.chmod(0o755)


def _no_certificate(folder: Path) -> None:
    (folder / "csms.pem").write_text("cut sho")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_open_to_all, r"root\.key holds secrets and other users may use it \(mode 644\)\. `chmod 600"),
        (_open_folder, r"pki holds secrets and other users may use it \(mode 755\)\. `chmod 700"),
        (_missing, r"root\.key is missing, its certificate is there"),
        (_garbled, r"root\.key is no private key in PEM"),
        (_another, r"root\.key does not belong to .*root\.pem"),
        (_no_certificate, r"csms\.pem is no certificate in PEM"),
    ],
)
def test_a_damaged_folder_is_said_and_left_alone(tmp_path: Path, damage: object, why: str) -> None:
    folder = tmp_path / "pki"
    Pki(folder)
    damage(folder)  # type: ignore[operator]
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(CsmsError, match=why):
        Pki(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_start_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    Pki(folder)
    (folder / "v2g-sub.pem").unlink()
    Pki(folder)
    assert (folder / "v2g-sub.pem").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CsmsError, match="shall hold keys and is no folder"):
        Pki(tmp_path / "file")
    with pytest.raises(CsmsError, match="cannot be made"):
        Pki(tmp_path / "file" / "pki")
