"""Replies from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line, enter_line
from driftgate.flows.models import PROVIDERS, ContentFiltered, Message, Model, RequestRejected, parse_config


def opened(folder: Path, text: str | bytes, **more: str) -> Model:
    raw = text.encode() if isinstance(text, str) else text
    (folder / "replies.csv").write_bytes(raw)
    config = parse_config({"provider": "recorded", "path": "replies.csv", **more})
    return PROVIDERS.get("recorded").open("old", config, folder)


async def reply_to(model: Model, sample: str) -> str:
    enter_line(Line({"": model}, sample))
    return (await model.complete([Message("user", "?")])).text


async def test_the_current_sample_s_reply_is_given(tmp_path: Path) -> None:
    model = opened(tmp_path, 'id,response\nq1,"정답은\nB"\nq2,C\nq3,\n')
    assert [await reply_to(model, sample) for sample in ("q2", "q1", "q3")] == ["C", "정답은\nB", ""]


async def test_columns_of_other_names_and_a_byte_order_mark(tmp_path: Path) -> None:
    model = opened(tmp_path, "\ufeffnumber,said\n1,D\n", id_column="number", response_column="said")
    assert await reply_to(model, "1") == "D"


async def test_refusals_and_failures_stay_what_they_were(tmp_path: Path) -> None:
    model = opened(tmp_path, "id,response\nq1,FILTERED\nq2,FAILED\n")
    with pytest.raises(ContentFiltered):
        await reply_to(model, "q1")
    with pytest.raises(RequestRejected, match="recorded as failed"):
        await reply_to(model, "q2")
    with pytest.raises(RequestRejected, match="no reply is recorded for sample 'q9'"):
        await reply_to(model, "q9")


async def test_a_row_cut_short_is_an_empty_reply(tmp_path: Path) -> None:
    assert await reply_to(opened(tmp_path, "id,response\nq1\n"), "q1") == ""


def test_two_different_replies_for_one_sample_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="two different replies for 'q1'"):
        opened(tmp_path, "id,response\nq1,A\nq1,B\n")


def test_the_same_reply_twice_is_fine(tmp_path: Path) -> None:
    assert opened(tmp_path, "id,response\nq1,A\nq1,A\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,said\nq1,A\n", "has no column 'response'; set id_column and response_column"),
        ("id,response\nq1,정답\n".encode("cp949"), "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(DriftgateError, match=said):
        opened(tmp_path, text)


async def test_a_very_long_reply_is_read(tmp_path: Path) -> None:
    model = opened(tmp_path, b'id,response\nq1,"' + b"A" * 200_000 + b'"\n')
    assert len(model.replies["q1"]) == 200_000


def test_identity_follows_the_content(tmp_path: Path) -> None:
    one = opened(tmp_path, "id,response\nq1,A\nq2,B\n").identity
    assert opened(tmp_path, "id,response\nq2,B\nq1,A\n").identity == one
    assert opened(tmp_path, "id,response\nq1,A\nq2,C\n").identity != one
