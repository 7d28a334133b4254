"""What is wrong with a model's settings is said when they are read, in a sentence, and not by every sample."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make


def said(cli: Cli, make: Make, **changes: Any) -> list[str]:
    """What ``doctor`` and ``bench`` say of these settings of the model."""
    folder = make(4, lambda config: config["models"]["tested"].update(changes))
    found = []
    for command in (("bench", "small"), ("doctor",)):
        done = cli(*command, "-w", folder)
        assert done.code == 2, done.out + done.err
        found.append(" ".join((done.out + done.err).split()))
    return found


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"x": date(2024, 1, 1)}, "parameters.x is a date (2024-01-01), which JSON cannot say"),
        ({"temperature": float("nan")}, "parameters.temperature is no finite number (nan)"),
        ({"top_p": float("-inf")}, "parameters.top_p is no finite number"),
        ({"stop": ["a", {"b"}]}, "parameters.stop[1] is a set"),
        ({"response_format": {"schema": {"at": b"x"}}}, "parameters.response_format.schema.at is a bytes"),
        ({"logit_bias": {50256: -100}}, "parameters.logit_bias, key 50256, is no text"),
        ({"model": "other"}, "parameters give 'model', which driftgate sets itself"),
        ({"messages": []}, "parameters give 'messages'"),
        ({"input": "?"}, "parameters give 'input'"),
        ({"stream": True}, "parameters give 'stream'"),
        ({"n": 2}, "use the suite's repeats"),
    ],
)
def test_parameters_that_cannot_be_sent_or_change_who_is_asked_are_refused(
    cli: Cli, make: Make, endpoint: ChatEndpoint, parameters: dict[str, Any], words: str
) -> None:
    for found in said(cli, make, parameters=parameters):
        assert words in found
        assert "driftgate.yaml, line" in found
    assert endpoint.requests == []


def test_one_reply_may_be_asked_for(cli: Cli, make: Make) -> None:
    folder = make(4, lambda config: config["models"]["tested"].update(parameters={"n": 1, "stop": ["\n"]}))
    assert cli("bench", "small", "-w", folder).code == 0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://[::1/v1", "'http://[::1/v1' is not an address"),
        ("127.0.0.1:8123/v1", "does not begin with http:// or https://"),
        ("localhost/v1", "does not begin with http:// or https://"),
        ("ftp://127.0.0.1/v1", "does not begin with http:// or https://"),
        ("http:///v1", "names no host"),
        ("http://127.0.0.1:99999/v1", "is not an address"),
    ],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_an_endpoint_that_is_no_address_is_refused(
    cli: Cli, make: Make, monkeypatch: pytest.MonkeyPatch, address: str, words: str, by_variable: bool
) -> None:
    monkeypatch.setenv("WHERE", address)
    for found in said(cli, make, endpoint="${env:WHERE}" if by_variable else address):
        assert words in found
        assert "None" not in found


@pytest.mark.parametrize("row", ["B", "B,q1,more"])
def test_a_recorded_row_of_another_length_is_named(cli: Cli, make: Make, row: str) -> None:
    folder = make(
        4, lambda config: config["models"].update(tested={"provider": "recorded", "path": "data/replies.csv"})
    )
    (folder / "data/replies.csv").write_text(f"response,id\nA,q0\n{row}\n", encoding="utf-8")
    for command in (("bench", "small"), ("doctor",)):
        done = cli(*command, "-w", folder)
        assert done.code == 2
        assert "line 3 of replies.csv has not as many fields" in " ".join((done.out + done.err).split())
