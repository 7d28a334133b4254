"""A loopback stand-in for the Azure Monitor Logs service and for the identity endpoint of an Azure host.

Spans in, KQL windows out, and every request on record.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

WINDOW = re.compile(r"TimeGenerated >= datetime\(([^)]+)\) and TimeGenerated < datetime\(([^)]+)\)")
INGESTED = re.compile(r"ingestion_time\(\) >= datetime\(([^)]+)\)")
TABLE = re.compile(r"App[A-Za-z]+")
COLUMNS = {
    "TimeGenerated": "datetime",
    "OperationId": "string",
    "Id": "string",
    "ParentId": "string",
    "Name": "string",
    "DurationMs": "real",
    "Success": "bool",
    "ItemCount": "int",
    "Properties": "dynamic",
    "Message": "string",
    "TraceId": "string",
    "SpanId": "string",
    "InputMessages": "string",
    "OutputMessages": "string",
    "SystemInstructions": "string",
}


@dataclass
class LogsEndpoint:
    """Serves its tables; answers in part once a window holds more than ``limit``."""

    spans: list[dict[str, Any]] = field(default_factory=list)
    """Of ``AppDependencies``."""
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows of the others; ``ingested`` in one says when the service took it in, else that was when it was made."""
    denied: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and message of the reply to queries of a table."""
    limit: int = 1_000_000
    failures: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    """Statuses and headers to answer the next requests with."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    searches: bool = False
    """Whether ``has_any`` over the attributes of spans chooses, as the service's engine does."""
    now: datetime | None = None
    """The service's clock: rows that are taken in later are not there yet."""
    certificate: Path | None = None

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append({"path": self.path, "headers": dict(self.headers), **body})
                self._reply(*outer._answer(body["query"]))

            def do_GET(self) -> None:
                """A token for the host's managed identity, as App Service gives it."""
                token = {
                    "access_token": "of-the-test",
                    "token_type": "Bearer",
                    "expires_on": str(int(time.time()) + 3600),
                }
                self._reply(200, {}, {**token, "resource": "https://api.loganalytics.io"})

            def _reply(self, status: int, headers: Mapping[str, str], reply: Any) -> None:
                data = json.dumps(reply).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def asked(self, table: str = "AppDependencies") -> list[tuple[datetime, datetime]]:
        """The windows of a table that were asked for, but for what was taken in late."""
        return [
            _window(request["query"])
            for request in self.requests
            if table in request["query"] and not INGESTED.search(request["query"])
        ]

    @property
    def windows(self) -> list[tuple[datetime, datetime]]:
        return self.asked()

    def _answer(self, query: str) -> tuple[int, Mapping[str, str], Any]:
        tables = set(TABLE.findall(query.partition("\n")[0]))
        if self.failures and "AppDependencies" in tables:
            status, headers = self.failures.pop(0)
            return status, headers, {"error": {"code": "Failed", "message": "as told"}}
        for table in tables & set(self.denied):
            status, message = self.denied[table]
            return status, {}, {"error": {"code": "InsufficientAccessError", "message": message}}
        start, end = _window(query)
        since = INGESTED.search(query)
        found = [
            row
            for table in sorted(tables)
            for row in (self.spans if table == "AppDependencies" else self.tables.get(table, []))
            if start <= datetime.fromisoformat(row["TimeGenerated"]) < end
            and (since is None or _ingested(row) >= since[1])
            and (self.now is None or "ingested" not in row or datetime.fromisoformat(_ingested(row)) <= self.now)
            and (not self.searches or table != "AppDependencies" or _has_any(query, row["Properties"]))
        ]
        columns = [name.strip() for name in query.rpartition("project ")[2].split(",")]
        rows = [[row.get(name) for name in columns] for row in found[: self.limit]]
        reply: dict[str, Any] = {"tables": [_table({name: COLUMNS[name] for name in columns}, rows)]}
        if len(found) > self.limit:
            reply["error"] = {"code": "PartialError", "message": "the result was cut", "details": []}
        return 200, {}, reply


def _ingested(row: Mapping[str, Any]) -> str:
    return str(row.get("ingested", row["TimeGenerated"]))


def _has_any(query: str, text: str) -> bool:
    """Whether a word of the query's ``has_any`` stands in a text, between what is no letter or digit."""
    listed = re.search(r"has_any \(([^)]*)\)", query)
    assert listed
    words = re.findall(r'"([^"]*)"', listed[1])
    return any(re.search(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])", text) for word in words)


def _window(query: str) -> tuple[datetime, datetime]:
    match = WINDOW.search(query)
    assert match
    return datetime.fromisoformat(match[1]), datetime.fromisoformat(match[2])


def _table(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    described = [{"name": name, "type": kind} for name, kind in columns.items()]
    return {"name": "PrimaryResult", "columns": described, "rows": rows}


def self_signed(path: Path) -> Path:
    """Write a key and its certificate for 127.0.0.1, valid for a day, into one file."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem))
    return path
