"""What is known to be a secret is blanked however it is spelt, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import logging
import subprocess
import sys
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driftgate.flows import scrubbing
from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbed_output import guard_logs
from driftgate.flows.scrubbing import keep_secret, ordinary, scrub, scrub_bytes, secrets_in, told
from driftgate.flows.streams import PlainStream

_KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc"]), min_size=12)
_AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_WAYS = {
    "as it stands": lambda key: key,
    "quoted": lambda key: quote(key, safe=""),
    "quoted as a path": quote,
    "quoted as a form": quote_plus,
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON in Unicode": lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    "HTML": html.escape,
    "hexadecimal": lambda key: key.encode().hex(),
}


@pytest.fixture(autouse=True)
def own_register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is a secret here because another test of this process said so."""
    monkeypatch.setattr(scrubbing, "_REGISTER", scrubbing._Register())


@given(_KEYS, st.sampled_from(sorted(_WAYS)), _AROUND, _AROUND)
def test_a_secret_is_found_in_every_spelling(key: str, way: str, before: str, after: str) -> None:
    assume(not ordinary(key))
    keep_secret(key)
    spelt = _WAYS[way](key)
    assert spelt not in scrub(before + spelt + after)


@given(st.binary(max_size=8), st.binary(max_size=8), st.booleans())
def test_a_secret_is_found_in_base64_wherever_it_begins(before: bytes, after: bytes, safe: bool) -> None:
    key = keep_secret("an-Example+key/of=2026")
    encode = base64.urlsafe_b64encode if safe else base64.b64encode
    shown = scrub(encode(before + key.encode() + after).decode())
    assert "(secret)" in shown
    before_it, after_it = shown.split("(secret)")
    # What a character shares with the neighbours stays: less than one byte of the secret on either side.
    assert len(before_it) <= -(-len(before) * 8 // 6) and len(after_it) <= -(-len(after) * 8 // 6) + 4


@pytest.mark.parametrize("secret", ["test", "1", "password", "123456789012", "aaaaaaaaaaaa", "", "   "])
def test_an_ordinary_word_is_left_in_other_texts(secret: str) -> None:
    assert ordinary(secret)
    keep_secret(secret)
    text = "a test of 123456789012 words: the password is aaaaaaaaaaaa, 1"
    assert scrub(text) == text


def test_the_beginning_of_a_secret_that_was_cut_off_is_blanked() -> None:
    key = keep_secret("cut-0a1b2c3d4e5f6a7b8c9d")
    assert told(f"Incorrect key: {key[:16]}…") == "Incorrect key: (secret)…"
    assert told(f"Incorrect key: {key[:14]}") == "Incorrect key: (secret)"
    assert told(f"of {key[:4]}") == f"of {key[:4]}"
    assert scrub("model cut-0a1b2c3d4e5f") == "model cut-0a1b2c3d4e5f", "a name that begins alike stays in the ledger"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer 0p4qu3t0k3nw1th0ut", "Authorization: Bearer (secret)"),
        ("AccountKey=Q29ubmVjdGlvblN0cmlu;EndpointSuffix=core", "AccountKey=(secret);EndpointSuffix=core"),
        ('{"api_key": "abc123def456", "n": 1}', '{"api_key": "(secret)", "n": 1}'),
        ("postgresql://app:tr0ub4dor@db/x", "postgresql://app:(secret)@db/x"),
        ("of kim@example.kr, 900101-1234568 and 010-1234-5678", "of <EMAIL_ADDRESS>, <KR_RRN> and <PHONE_MOBILE>"),
        ("card 4539-5787-6362-1486", "card <CREDIT_CARD>"),
    ],
)
def test_what_has_the_form_of_a_secret_is_blanked_in_what_others_say(text: str, left: str) -> None:
    assert told(text) == left
    assert told(left) == left
    assert str(DriftgateError(text)) == left


@pytest.mark.parametrize(
    "text",
    [
        "run 20261122-231500-nightly-3fa2 has 14,042 samples of 2026-11-22 23:15:00",
        "HTTP 429: Rate limit is exceeded, try again in 86400 s (request 123e4567-e89b-12d3-a456-426614174000)",
        "models.tested.api_key needs the environment variable OWN_KEY, which is not set; export OWN_KEY=…",
        "the key of model 'gpt-4.1-mini-2025-04-14' at https://x.openai.azure.com:443/openai/v1/ is refused",
        "max_completion_tokens=16384, token count 12345678 and signature abc:one:k=5",
        "basic authentication is needed, bearer tokens are not; secrets: none",
        "4,000 of 1234567 rows; 1234-5678-9012-3456 is no card; 20261122-2345678",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_an_engineer_needs_is_left(text: str) -> None:
    assert told(text) == text


def test_parts_of_addresses_and_connection_strings_are_secrets() -> None:
    assert secrets_in("https://u:p4ssw0rd@h/x?api-version=2024-10-21") == ["p4ssw0rd"]
    assert secrets_in("Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=abc123=") == ["abc123="]
    assert secrets_in("https://fn.azurewebsites.net/api/x?code=abc-123") == ["abc-123"]
    assert secrets_in("http://127.0.0.1:8123/v1?api-version=1") == []


def test_logs_streams_and_bytes_are_scrubbed(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keep_secret("log-77aa88bb99cc")
    guard_logs()
    try:
        raise ValueError(key)
    except ValueError:
        logging.getLogger("anybody").exception("with %s of %s", key, "kim@example.kr")
    assert key not in caplog.text and "with (secret) of <EMAIL_ADDRESS>" in caplog.text
    assert "ValueError: (secret)" in caplog.text
    stream = PlainStream(sys.stdout)
    print(key, file=stream)
    stream.writelines([key])
    assert capsys.readouterr().out == "(secret)\n(secret)"
    assert scrub_bytes(f"a {key} \N{BULLET}".encode() + b"\xff") == "a (secret) \N{BULLET}".encode() + b"\xff"


def test_tokens_that_pass_do_not_fill_the_memory() -> None:
    tokens = [f"passing-token-number-{n:04d}-x" for n in range(200)]
    for token in tokens:
        keep_secret(token, passing=True)
    assert scrub(tokens[-1]) == "(secret)" and scrub(tokens[0]) == tokens[0]


def test_many_threads_register_at_once() -> None:
    keys = [f"thread-key-{n:03d}-q7" for n in range(64)]
    threads = [threading.Thread(target=keep_secret, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scrub(" ".join(keys)) == " ".join(["(secret)"] * 64)


def test_a_traceback_that_ends_a_process_or_a_thread_shows_none() -> None:
    program = (
        "import threading\n"
        "from driftgate.flows.scrubbed_output import guard_tracebacks\n"
        "from driftgate.flows.scrubbing import keep_secret\n"
        "key = keep_secret('trace-1122334455')\n"
        "guard_tracebacks()\n"
        "def fail(): raise ValueError(key)\n"
        "one = threading.Thread(target=fail); one.start(); one.join()\n"
        "fail()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "trace-1122334455" not in done.stderr.replace("keep_secret('trace", "")
    assert done.stderr.count("ValueError: (secret)") == 2
