"""Forty secrets and personal data, put where others could say them, and the search for them."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

KNOWN: Mapping[str, str] = {
    "TESTED_KEY": "sk-live-9fA2+xZ/71qLm=Tt4Q0w",
    "JUDGE_KEY": 'judge&key<7b1e55aa>"quoted"',
    "SEARCH_KEY": "S3archQueryK3y0f4711Gq",
    "PLUGIN_SECRET": "pl/ug in+secret%4 with blanks",
    "DRIFTGATE_TOKEN": "service-token-0c5d1f77e2",
    "PROXY_PASSWORD": "pr0xy:p@ss#w0rd!91",
    "MONITOR_STRING": "InstrumentationKey=5f2b1c3d-0a9e-4d27-9a77-1c2d3e4f5a6b;IngestionEndpoint=https://127.0.0.1:9/",
    "HOOK": "https://hooks.slack.com/services/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",
    "SIGNED": "https://acc.blob.core.windows.net/c/x?sv=2024&sig=a1B2c3D4e5F6g7H8i9J0kLmN%2Bo%3D",
    "DATABASE_PASSWORD": "Zx9-Korea-2026-db-pass",
}
"""Secrets of the workspace, by the variable of the environment that holds each."""
LOOKS_SECRET = (
    "sk-proj-Ab12Cd34Ef56Gh78Ij90Kl12Mn34",
    "AKIA" + "IOSFODNN7EXAMPL3",
    "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "xoxb-" + "123456789012-abcdefGHIJKL",
    "AIza" + "SyD4x9k2m7p1q8r3s6t5u0v9w2y4z7A1b3",
    "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNm12",
    "glpat-" + "x1Y2z3A4b5C6d7E8f9",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
)
"""Secrets of others, which no variable holds: known by their form."""
NAMED = {
    "AccountKey=Q29ubmVjdGlvblN0cmluZ0tleTEyMzQ1Njc4OTA=": "Q29ubmVjdGlvblN0cmluZ0tleTEyMzQ1Njc4OTA",
    "SharedAccessKey=hT5k9Vv2LmQ8xR1zW4yB7nC0dF3gJ6pS": "hT5k9Vv2LmQ8xR1zW4yB7nC0dF3gJ6pS",
    "client_secret=8Q~7rTzYw2LkP5nVbXcMdSfGhJ": "8Q~7rTzYw2LkP5nVbXcMdSfGhJ",
    "postgresql://app:tr0ub4dor-and-3@db.internal/x": "tr0ub4dor-and-3",
    "mongodb://root:m0ngo-pass-77@10.0.0.5:27017": "m0ngo-pass-77",
    "Authorization: Bearer 0p4qu3t0k3nw1th0utaf0rm": "0p4qu3t0k3nw1th0utaf0rm",
    "Authorization: Basic dXNlcjpodW50ZXIyaHVudGVyMg==": "dXNlcjpodW50ZXIyaHVudGVyMg",
    "password: c0rrect-h0rse-battery": "c0rrect-h0rse-battery",
    "-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASC -----END PRIVATE KEY-----": "MIIEvQIBADANBgkqhkiG9w0",
    "https://hooks.slack.com/services/T1/B2/AAbbCCddEEffGGhhIIjjKK12": "AAbbCCddEEffGGhhIIjjKK12",
}
"""As others write them, and what of it is the secret."""
PERSONAL = (
    "900101-1234568",
    "850315-2345674",
    "010203-3123451",
    "880707-5123453",
    "hong.gildong@example.co.kr",
    "kim_chulsoo+billing@mail.example.com",
    "lee@corp.example",
    "010-9876-5432",
    "+82 10-1357-2468",
    "016-345-6789",
    "4539-5787-6362-1486",
    "5425233430109903",
)
"""Resident numbers, addresses, telephones and cards."""
OTHERS = (*LOOKS_SECRET, *NAMED, *PERSONAL)
"""What stands in the errors and the labels of others."""
NEEDLES = (*LOOKS_SECRET, *NAMED.values(), *PERSONAL)
assert len(KNOWN) + len(NEEDLES) == 40


def secret_parts() -> list[str]:
    """What of the workspace's variables nobody may see."""
    whole = dict(KNOWN)
    parts = [whole.pop(name) for name in ("HOOK", "SIGNED", "MONITOR_STRING")]
    return [*whole.values(), "qWeRtY7uIoP8aSdFgH9jKlZx", "a1B2c3D4e5F6g7H8i9J0kLmN", "5f2b1c3d-0a9e-4d27", *parts]


def said_in_many_ways(secret: str) -> list[str]:
    """How a service may repeat a key: as it stands, quoted, escaped, and as a header or a log encodes it."""
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(f"user:{secret}".encode()).decode(),
        base64.b64encode(f"me:{secret}:".encode()).decode(),
        secret.encode().hex(),
    ]


def needles() -> dict[str, str]:
    """Every text that may stand nowhere, and what it stands for."""
    found = {needle: needle for needle in NEEDLES}
    for secret in secret_parts():
        for way in said_in_many_ways(secret):
            # Of base64 the ends may differ with what stands beside it; the middle tells enough.
            found[way if way.isascii() and len(way) < 20 else way[4:-4]] = secret
    return {needle: of for needle, of in found.items() if len(needle) >= 8}


def texts_of_file(path: Path) -> Iterator[str]:
    """What a file holds, as text; Parquet and SQLite as their values."""
    data = path.read_bytes()
    if data[:4] == b"PAR1":
        import pyarrow.parquet as parquet

        yield json.dumps(parquet.read_table(path).to_pylist(), ensure_ascii=False, default=str)
    elif data[:15] == b"SQLite format 3":
        with sqlite3.connect(path) as connection:
            yield from connection.iterdump()
    yield data.decode(errors="replace")


def ledger_text(path: Path) -> str:
    """Everything that a ledger on SQLite holds."""
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump())


def leaks(folder: Path, shown: Iterable[str], *, own: Iterable[str] = ()) -> list[str]:
    """Where something planted was found: in a file below a folder, or in what was shown.

    Parameters
    ----------
    own : iterable of str
        Names of the files that the test itself wrote there.
    """
    wanted = needles()
    pattern = re.compile("|".join(re.escape(needle) for needle in sorted(wanted, key=len, reverse=True)))
    mine = set(own)
    places = [(f"output {number}", text) for number, text in enumerate(shown)]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in mine:
            places += [(str(path.relative_to(folder)), text) for text in texts_of_file(path)]
    return sorted(
        {
            f"{place}: {wanted[match[0]]}: …{text[max(0, match.start() - 60) : match.end() + 10]!r}"
            for place, text in places
            for match in pattern.finditer(text)
        }
    )


def open_to_others(folder: Path, *, own: Iterable[Path] = ()) -> list[str]:
    """Files and folders below a folder that others than their owner may read."""
    mine = {path.resolve() for path in own}
    return [
        f"{path.relative_to(folder)} {path.stat().st_mode & 0o777:o}"
        for path in sorted(folder.rglob("*"))
        if path.resolve() not in mine and not path.is_symlink() and path.stat().st_mode & 0o077
    ]
