"""The service as others reach it: over TLS, behind a proxy, and with secrets in everything that is sent to it."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from identity_provider import IdentityProvider
from planted_secrets import OTHERS, leaks

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, audit_of, open_ledger
from driftgate.monitor.config import ServiceConfig
from driftgate.service._server import check_tls, exposed_in_words

from .conftest import TOKEN, Serve, bearer, sign_in_of, tokens_of

HERE = "http://127.0.0.1:8321"
OWN = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}


def test_nothing_that_is_sent_is_kept_or_logged_with_what_is_private(
    serve: Serve, provider: IdentityProvider, kept: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(
        public_url=HERE,
        sign_in=sign_in_of(provider),
        tokens=tokens_of(provider),
        limits={"refusals": 10_000, "burst": 10_000},
    )
    for text in OTHERS:
        said = quote(text, safe="")
        for headers in (bearer(said), {"Authorization": said}, {"Authorization": f"Basic {said}"}):
            client.get(f"/health?key={said}", headers=headers)
            client.post("/v1/traces", headers=headers)
        client.get(f"/api/runs/{said}", headers=bearer(TOKEN) | {"User-Agent": said, "X-Forwarded-For": said})
        client.post("/signin", data={"key": text, "next": f"/{said}"}, headers=OWN)
        for change in ({"error": text}, {"code": text}, {"iss": text}, {"state": text}):
            begun = client.get("/signin/begin", params={"next": f"/{said}"})
            state = begun.headers["location"].partition("&state=")[2].partition("&")[0]
            client.get("/signin/callback", params={"state": state, "code": "x"} | change)
        client.get("/health", headers=bearer(provider.token(name=text, roles=["Operator"])))
        provider.person["name"] = text
        client.get(provider.sign_in(client.get("/signin/begin").headers["location"]))
    assert [row for row in audit_of(kept, 1000) if row.action == "sign_in.accept"]
    client.app.state.guard.refusals.tell(everything=True)  # type: ignore[attr-defined]
    shown = [client.get(path, headers=bearer(TOKEN)).text for path in ("/metrics", "/openapi.json", "/")]
    assert leaks(tmp_path, [*shown, caplog.text]) == []


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "tls.pem", folder / "tls.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].chmod(0o600)
    return files


@pytest.mark.acceptance
def test_it_serves_by_tls_believes_a_named_proxy_and_waits_for_no_handshake(tmp_path: Path) -> None:
    certificate, _ = _certificate(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    service = {
        "port": port,
        "token": "${env:TEST_TOKEN}",
        "tls_cert": "tls.pem",
        "tls_key": "tls.key",
        "proxies": ["127.0.0.0/8"],
        "limits": {"header_seconds": 1},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump({"version": 1, "service": service}), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "driftgate", "serve", "-w", str(tmp_path)], env=os.environ | {"TEST_TOKEN": TOKEN}
    )
    trusted = ssl.create_default_context(cafile=str(certificate))
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"https://localhost:{port}/livez", context=trusted, timeout=5)
                break
            except OSError:
                assert time.monotonic() < until and process.poll() is None
                time.sleep(0.2)
        headers = bearer("wrong-key") | {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(
                urllib.request.Request(f"https://localhost:{port}/health", headers=headers), context=trusted, timeout=5
            )
        assert refused.value.code == 401
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.settimeout(10)
            began = time.monotonic()
            assert silent.recv(1) == b"" and time.monotonic() - began < 5  # of a handshake that never begins
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    ledger = open_ledger(".driftgate/ledger.db", tmp_path)
    # The one that the proxy itself saw: what stands before it, anybody can write.
    assert audit_of(ledger, action="sign_in.refuse")[0].who == "198.51.100.7"
    ledger.close()


def test_addresses_of_strangers_are_not_believed(serve: Serve, kept: Ledger) -> None:
    client = serve()
    client.get("/health", headers=bearer("wrong-key") | {"X-Forwarded-For": "203.0.113.9"})
    assert audit_of(kept, action="sign_in.refuse")[0].who == "testclient"


def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificate, key = _certificate(tmp_path)
    check_tls(certificate, key)
    key.chmod(0o644)
    check_tls(certificate, key)
    assert "can be read by others" in caplog.text
    for wrong in ((key, certificate), (tmp_path / "none.pem", key)):
        with pytest.raises(DriftgateError, match="cannot be used"):
            check_tls(*wrong)


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        (False, {}),
        (False, {"host": "::1"}),
        (True, {"host": "0.0.0.0"}),
        (False, {"host": "0.0.0.0", "proxies": ["10.0.0.0/8"]}),
        (False, {"host": "0.0.0.0", "tls_cert": "c", "tls_key": "k"}),
    ],
)
def test_a_service_that_can_be_read_on_the_way_says_so(said: bool, settings: dict[str, object]) -> None:
    assert bool(exposed_in_words(ServiceConfig.model_validate(settings))) is said
