"""What a batch's service sends: lines without an end, replies nobody asked for, statuses that are none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from driftgate.flows.models import KeptBatch
from driftgate.flows.models._batch_service import BatchService, _lines, _reply
from driftgate.flows.models._batches import Batches
from driftgate.flows.models._patience import Patience
from driftgate.flows.network import Connections

MOST = 1000


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
async def test_a_line_without_an_end_is_not_kept(size: int) -> None:
    content = b"first\n" + b"a" * 5000 + b"\n" + b"b" * MOST + b"\n\nlast"
    found = [line async for line in _lines(pieces(content, size), MOST)]
    assert found == [b"first", b"b" * MOST, b"last"]


@pytest.mark.parametrize("status", ["1e400", "-1", "true", '"x"', "[]", "null", "9" * 5000])
def test_a_status_that_is_none_is_a_reply_that_failed(status: str) -> None:
    body = '{"custom_id": "r", "response": {"status_code": STATUS, "body": {}}}'.replace("STATUS", status)
    found = _reply(body.encode())
    assert found is not None and found[1].status == 502


async def _headers() -> dict[str, str]:
    return {}


class _Book:
    async def kept(self, model: str) -> list[KeptBatch]:
        return []

    async def begin(self, batch: KeptBatch) -> None:
        pass

    async def submitted(self, batch: KeptBatch) -> None:
        pass


async def test_replies_that_nobody_asked_for_are_not_kept(endpoint) -> None:
    line = {"response": {"status_code": 200, "body": {}}}
    content = "".join(json.dumps({"custom_id": f"r{n}", **line}) + "\n" for n in range(1000))
    endpoint.desk.files["f"] = content.encode()
    connections = Connections()
    service = BatchService("m", f"{endpoint.url}/v1", _headers, connections)
    batches = Batches(service, _Book(), Patience(), print)
    await batches._hand_out("f")
    await connections.aclose()
    assert not batches._untaken
