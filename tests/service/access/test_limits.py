"""Nobody takes more of the service than they may, and who guesses is slowed and told of."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st

from driftgate.ledger import Ledger, audit_of, create_key, revoke_key
from driftgate.monitor.exposure import Limits
from driftgate.service.access._bounds import Bounds
from driftgate.service.access._buckets import Buckets, neighbourhood
from driftgate.service.access._connections import bounded

from .conftest import TOKEN, Serve, bearer

SECONDS = 0.6


def test_who_guesses_is_slowed_and_told_of_and_others_are_not_shut_out(
    serve: Serve, kept: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(limits={"refusals": 5, "refusal_seconds": 600})
    key, other = (create_key(kept, name, ["read"], by="me") for name in ("ci", "other"))
    assert client.get("/health", headers=bearer(key.secret)).status_code == 200
    statuses = [client.get("/health", headers=bearer(f"guess-{n}")).status_code for n in range(400)]
    assert statuses == [401] * 5 + [429] * 395
    refused = client.get("/health", headers=bearer("guess"))
    assert int(refused.headers["retry-after"]) > 500
    # A guess that is right is not looked at either; who was let in before is known still, until their key ends.
    assert client.get("/health", headers=bearer(other.secret)).status_code == 429
    assert client.get("/health", headers=bearer(key.secret)).status_code == 200
    assert client.get("/livez").status_code == 200
    revoke_key(kept, "ci", by="me")
    assert client.get("/health", headers=bearer(key.secret)).status_code == 401
    assert client.get("/health", headers=bearer(key.secret)).status_code == 429
    client.app.state.guard.refusals.tell(everything=True)  # type: ignore[attr-defined]
    told = [row.detail for row in audit_of(kept, action="sign_in.refuse")]
    assert len(told) == 2 and "403 requests" in told[0]
    assert [line for line in caplog.messages if "403 requests" in line]
    assert not [line for line in caplog.messages if "guess" in line]


def test_requests_are_limited_by_who_asks(serve: Serve, kept: Ledger) -> None:
    client = serve(limits={"requests_per_second": 0.01, "burst": 3})
    keys = [create_key(kept, name, ["read", "ingest"], by="me").secret for name in "ab"]
    json = {"content-type": "application/json"}
    assert [client.get("/health", headers=bearer(keys[0])).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    assert client.get("/health", headers=bearer(keys[1])).status_code == 200
    again = client.post("/v1/traces", content=b"{}", headers=bearer(keys[0]) | json)
    assert again.status_code == 503 and again.headers["retry-after"]  # the stock exporter gives up on a 429
    assert [client.get("/health").status_code for _ in range(5)] == [401] * 3 + [429] * 2
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_not_read(serve: Serve, chunked: bool) -> None:
    client = serve(limits={"body_megabytes": 0.01})

    @client.app.post("/echo")  # type: ignore[attr-defined]
    async def echo(request: Request) -> int:
        return len(await request.body())

    @client.app.post("/json")  # type: ignore[attr-defined]
    def read(body: dict[str, str]) -> int:
        return len(body)

    def sent(size: int) -> bytes | Iterator[bytes]:
        body = b'{"a": "' + b"x" * (size - 9) + b'"}'
        return iter([body[:100], body[100:]]) if chunked else body

    most = int(0.01 * 2**20)
    for path in ("/echo", "/json"):
        headers = bearer(TOKEN) | {"content-type": "application/json"}
        assert client.post(path, content=sent(most), headers=headers).status_code == 200
        assert client.post(path, content=sent(most + 1), headers=headers).status_code == 413


def test_only_so_many_are_answered_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from fastapi.testclient import TestClient

    app = FastAPI()
    app.add_middleware(Bounds, body=100, concurrent=2)
    inside, go_on = threading.Barrier(3), threading.Event()

    @app.get("/")
    def wait() -> None:
        inside.wait(10)
        go_on.wait(10)

    with TestClient(app) as client, ThreadPoolExecutor(2) as pool:
        held = [pool.submit(client.get, "/") for _ in range(2)]
        inside.wait(10)
        assert client.get("/").status_code == 503
        go_on.set()
        assert [one.result().status_code for one in held] == [200, 200]


@contextmanager
def listening(**limits: float) -> Iterator[int]:
    """A server with times that a test can wait for; its port."""
    app = FastAPI()

    @app.get("/")
    async def small() -> str:
        return "here"

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.get("/large")
    async def large() -> Response:
        return Response(bytes(30_000_000))

    protocol = bounded(Limits(**limits))  # type: ignore[arg-type]
    config = uvicorn.Config(app, port=0, http=protocol, ws="none", log_level="error", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(header_seconds=SECONDS, body_seconds=SECONDS) as port:
        yield port


def closed_after(held: socket.socket, trickle: bytes = b"") -> float:
    """Seconds until the peer closes, which gets a byte now and then."""
    began = time.monotonic()
    held.settimeout(0.05)
    try:
        while time.monotonic() - began < 6:
            try:
                if not held.recv(65536):
                    break
            except TimeoutError:
                if trickle:
                    held.sendall(trickle[:1])
                    trickle = trickle[1:] + trickle[:1]
    except OSError:
        pass
    return time.monotonic() - began


HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "trickle"),
    [
        (b"", b""),
        (b"", b"G"),
        (HEAD, b""),
        (HEAD, b"X-A: b\r\n"),
        (b"\r\n", b"\r\n"),
        (POST, b""),
        (POST, b"a"),
        (CHUNKED, b"1\r\na\r\n"),
        (HEAD + b"\r\n" + HEAD, b"X-A: b\r\n"),
    ],
)
def test_a_connection_that_asks_nothing_whole_is_closed(port: int, first: bytes, trickle: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as held:
        held.sendall(first)
        assert closed_after(held, trickle) < 4 * SECONDS


def test_a_connection_is_closed_that_is_idle_after_an_answer_or_does_not_read_it(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as held:
        held.sendall(HEAD + b"\r\n")
        time.sleep(0.7)  # longer than the time of a head: it is none yet
        held.sendall(HEAD + b"\r\n")
        assert 0.5 < closed_after(held) < 3
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(HEAD.replace(b"/ ", b"/large ") + b"\r\n")
        time.sleep(4 * SECONDS)
        with pytest.raises(OSError):
            while deaf.recv(65536):
                pass
            raise ConnectionResetError("closed")


def test_a_large_body_that_comes_steadily_is_taken(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as held:
        held.sendall(POST.replace(b"1000", b"700000"))
        for _ in range(10):
            held.sendall(bytes(70_000))
            time.sleep(SECONDS / 4)
        assert b"700000" in held.recv(4096)


def test_for_a_new_connection_the_one_that_is_idle_longest_is_closed() -> None:
    with listening(connections=10) as port:
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(14)]
        held[-1].sendall(HEAD + b"\r\n")
        assert held[-1].recv(4096).startswith(b"HTTP/1.1 200")
        assert [one.recv(1) for one in held[:4]] == [b""] * 4  # long before their time of ten seconds
        for one in held[4:-1]:
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)
        for one in held:
            one.close()


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 3)), max_size=60))
def test_a_bucket_never_gives_more_than_it_got(asked: list[tuple[str, float]]) -> None:
    now = 0.0
    buckets = Buckets(0.5, 3, most=3, clock=lambda: now)
    given_out: dict[str, int] = {}
    for name, passed in asked:
        now += passed
        if (wait := buckets.take(name)) == 0:
            given_out[name] = given_out.get(name, 0) + 1
        else:
            assert 0 < wait <= 2.0 + 1e-6
        assert len(buckets._held) <= 3
    if len(given_out) <= 3:  # nobody was forgotten
        assert all(count <= 3 + now * 0.5 + 1e-6 for count in given_out.values())


@given(st.ip_addresses())
def test_an_address_has_a_neighbourhood(address: object) -> None:
    assert neighbourhood(str(address)) and len(neighbourhood(f"{address}%eth0")) <= 64
