"""Contract certificates: chains and hashes against the roots of the bench, and what they do to the token's status."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pilotbench.bench.csms.certificates import CertificateDesk
from pilotbench.bench.csms.certificates.contracts import agreed
from pilotbench.bench.csms.security.pki import Pki
from pilotbench.bench.timeline import Timeline
from pilotbench.errors import CsmsError

from certificate_requests import hash_data, leaf, new_key, request_for

DAY = datetime.timedelta(days=1)
Made = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@pytest.fixture
def desk(tmp_path: Path) -> CertificateDesk:
    return CertificateDesk(Pki(tmp_path / "pki"), Timeline().source("csms"))


def made(name: str, issuer: Made | None = None, *, ca: bool = False, begin: float = -1.0, end: float = 30.0) -> Made:
    """A certificate and its key; days from now."""
    key, now = new_key(), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above, signer = (subject, key) if issuer is None else (issuer[0].subject, issuer[1])
    builder = x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now + begin * DAY).not_valid_after(now + end * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    return builder.sign(signer, hashes.SHA256()), key


def pem(*certificates: x509.Certificate) -> str:
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


def mo_root(desk: CertificateDesk) -> x509.Certificate:
    return x509.load_pem_x509_certificate(desk.pki.mo_root_pem.encode())


def test_an_authorize_without_contract_has_no_status(desk: CertificateDesk) -> None:
    assert desk.contract_status({"idToken": {"idToken": "TAG", "type": "ISO14443"}}) is None


def test_a_contract_of_our_operator_is_accepted_until_it_is_revoked(desk: CertificateDesk) -> None:
    chain, _ = desk.pki.make_contract("DE-8AA-1")
    data = {**hash_data(leaf(chain), mo_root(desk)), "responderURL": "http://x.invalid"}
    by_chain, by_hash = {"certificate": chain}, {"iso15118CertificateHashData": [data]}
    assert [desk.contract_status(by_chain), desk.contract_status(by_hash)] == ["Accepted", "Accepted"]
    desk.revoke(chain)
    assert [desk.contract_status(by_chain), desk.contract_status(by_hash)] == ["CertificateRevoked"] * 2
    desk.pardon(data["serialNumber"])
    assert [desk.contract_status(by_chain), desk.contract_status(by_hash)] == ["Accepted", "Accepted"]


def test_hashes_below_an_authority_that_is_not_for_contracts_are_no_chain(desk: CertificateDesk) -> None:
    station = leaf(desk.pki.sign_station(request_for(new_key()), station="CP1"))
    root = x509.load_pem_x509_certificate(desk.pki.root_pem.encode())
    assert desk.contract_status({"iso15118CertificateHashData": [hash_data(station, root)]}) == "CertChainError"


def test_a_trusted_authority_that_has_ended_is_seen_by_its_hashes(desk: CertificateDesk) -> None:
    root = made("Root", ca=True)
    sub = made("Sub", root, ca=True, end=-0.5)
    contract = made("DE-9BB-1", sub)
    desk.trust(pem(root[0], sub[0]))
    hashed = [hash_data(contract[0], sub[0]), hash_data(sub[0], root[0])]
    assert desk.contract_status({"iso15118CertificateHashData": hashed}) == "CertificateExpired"


def test_an_expired_contract_is_seen_in_its_chain_and_by_its_hashes_once_it_is_known(desk: CertificateDesk) -> None:
    chain, _ = desk.pki.make_contract("DE-8AA-1", expired=True)
    data = hash_data(leaf(chain), mo_root(desk))
    assert desk.contract_status({"certificate": chain}) == "CertificateExpired"
    assert desk.contract_status({"iso15118CertificateHashData": [data]}) == "Accepted"
    desk.book.keep(leaf(chain))
    assert desk.contract_status({"iso15118CertificateHashData": [data]}) == "CertificateExpired"


def test_a_chain_of_another_operator_counts_when_its_root_is_trusted(desk: CertificateDesk) -> None:
    root = made("Other root", ca=True)
    sub = made("Other sub-CA", root, ca=True)
    contract = made("DE-9BB-1", sub)
    sent = {"certificate": pem(contract[0], sub[0])}
    hashed = {"iso15118CertificateHashData": [hash_data(contract[0], sub[0]), hash_data(sub[0], root[0])]}
    assert [desk.contract_status(sent), desk.contract_status(hashed)] == ["CertChainError"] * 2
    desk.trust(pem(root[0]))
    assert desk.contract_status(sent) == "Accepted"
    assert desk.contract_status({"certificate": pem(contract[0])}) == "CertChainError"
    # Of a sub-CA that is not known the hashes say nothing.
    assert desk.contract_status(hashed) == "CertChainError"
    desk.trust(pem(sub[0]))
    assert desk.contract_status(hashed) == "Accepted"
    desk.revoke(pem(sub[0]))
    assert [desk.contract_status(sent), desk.contract_status(hashed)] == ["CertificateRevoked"] * 2


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("none", "Accepted"),
        ("sub expired", "CertificateExpired"),
        ("not yet valid", "CertChainError"),
        ("no authority", "CertChainError"),
        ("foreign key", "CertChainError"),
        ("root alone", "CertChainError"),
        ("station's certificate", "CertChainError"),
        ("rubbish", "CertChainError"),
    ],
)
def test_a_chain_is_looked_at_link_by_link(desk: CertificateDesk, fault: str, status: str) -> None:
    root = made("Root", ca=True)
    desk.trust(pem(root[0]))
    sub = made("Sub", root, ca=fault != "no authority", end=-0.5 if fault == "sub expired" else 30.0)
    signer: Made = (sub[0], new_key()) if fault == "foreign key" else sub
    contract = made("DE-9BB-1", signer, begin=1.0 if fault == "not yet valid" else -1.0)
    chain = pem(contract[0], sub[0])
    if fault == "root alone":
        chain = pem(root[0])
    elif fault == "station's certificate":
        chain = desk.pki.sign_station(request_for(new_key()), station="CP1")
    elif fault == "rubbish":
        chain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert desk.contract_status({"certificate": chain}) == status


@pytest.mark.parametrize(
    "entries",
    [[], [{}], [{"hashAlgorithm": "MD5", "issuerNameHash": "00", "issuerKeyHash": "00", "serialNumber": "1"}]],
)
def test_hashes_that_name_nothing_are_no_chain(desk: CertificateDesk, entries: list[dict[str, str]]) -> None:
    assert desk.contract_status({"iso15118CertificateHashData": entries}) == "CertChainError"


@pytest.mark.parametrize(
    ("certificate", "token", "answered"),
    [
        ("Accepted", "Accepted", ("Accepted", "Accepted")),
        ("Accepted", "ConcurrentTx", ("Accepted", "ConcurrentTx")),
        ("Accepted", "Blocked", ("ContractCancelled", "Blocked")),
        ("Accepted", "Unknown", ("ContractCancelled", "Unknown")),
        ("CertificateExpired", "Accepted", ("CertificateExpired", "Expired")),
        ("CertificateRevoked", "Accepted", ("CertificateRevoked", "Invalid")),
        ("CertChainError", "Accepted", ("CertChainError", "Invalid")),
    ],
)
def test_certificate_and_token_are_answered_together(certificate: str, token: str, answered: tuple[str, str]) -> None:
    """C07.FR.13-17."""
    assert agreed(certificate, token) == answered


def test_what_is_no_certificate_is_refused_in_words(desk: CertificateDesk) -> None:
    with pytest.raises(CsmsError, match="no certificate in PEM to trust"):
        desk.trust("rubbish")
    with pytest.raises(CsmsError, match="neither a certificate in PEM nor a serial number"):
        desk.revoke("not hexadecimal")
    with pytest.raises(CsmsError, match="is not Base64"):
        desk.provide(["%%%"])
    with pytest.raises(CsmsError, match="exiResponse takes 17000"):
        desk.provide([bytes(20_000)])
    with pytest.raises(CsmsError, match="cannot be delayed by -1 s"):
        desk.sign_next(delay_s=-1)
