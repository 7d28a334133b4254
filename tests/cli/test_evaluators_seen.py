"""Node evaluators, their errors and the one that failed are seen wherever a run is looked at, not in its page alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

import driftgate

CODE = """
def broken(said):
    raise LookupError("표가 없다: " + said)


def half(said, wanted):
    if wanted in "AB":
        raise ValueError("단위를 읽지 못했다")
    return {"close": 0.5}


def words(said):
    return {"label": "좋음"}


def fine(said):
    return {"one": 1.0, "two": 0.0, "three": 0.25, "four": 0.5, "five": 1.0}
"""
ROOMY = [f"fine{n}" for n in range(9)]


def edit(config: dict[str, Any]) -> None:
    said, wanted = "${nodes.reply.output}", "${data.answer}"
    bound = {
        **{name: {"evaluator": "mine:fine", "inputs": {"said": said}} for name in ROOMY},
        "right": {"evaluator": "contains", "inputs": {"text": said, "parts": wanted}},
        "half": {"evaluator": "mine:half", "inputs": {"said": said, "wanted": wanted}},
        "words": {"evaluator": "mine:words", "inputs": {"said": said}},
        "broken": {"evaluator": "mine:broken", "inputs": {"said": said}},
    }
    suite = {"models": ["tested"], "datasets": ["own"], "prompt": "{{ question }}", "evaluators": {"reply": bound}}
    config["suites"]["small"] = suite | {"primary": "reply.right.complete", "max_failed": 1.0}
    config["gates"], config["nightly"] = {}, {"suites": ["small"]}


@pytest.fixture
def folder(cli: Cli, make: Make, endpoint: ChatEndpoint) -> Path:
    made = make(12, edit)
    (made / "mine.py").write_text(CODE, encoding="utf-8")
    endpoint.default = Answer("A")
    return made


def bench(cli: Cli, folder: Path) -> str:
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.out + done.err
    return done.out


def test_the_terminal_names_those_that_failed_first_and_counts_the_rest(cli: Cli, folder: Path) -> None:
    for out in (bench(cli, folder), cli("runs", "show", "-w", folder).out):
        lines = [line for line in out.splitlines() if ": reply." in line or "more evaluators" in line]
        assert "reply.broken (12 errors, no value: LookupError: 표가 없다: A)" in lines[0]
        assert "reply.half.close 0.500 (6 errors: ValueError: 단위를 읽지 못했다)" in lines[1]
        assert "reply.right.complete" in lines[2] and len(lines) == 7  # what decides, then the others
        assert "and 7 more evaluators, of which none failed" in lines[-1] and "--evaluators" in lines[-1]
        assert any("and 1 more" in line for line in lines)  # of the five metrics of fine


def test_every_evaluator_is_listed_on_request(cli: Cli, folder: Path) -> None:
    bench(cli, folder)
    out = cli("runs", "show", "--evaluators", "-w", folder).out
    assert all(f"reply.{name}" in out for name in (*ROOMY, "right", "half", "words", "broken"))
    assert "ValueError: 단위를 읽지 못했다" in out and "three" in out


def test_the_markdown_and_the_page_say_why(cli: Cli, folder: Path) -> None:
    bench(cli, folder)
    (summary,) = (folder / "reports").rglob("*.md")
    text = summary.read_text(encoding="utf-8")
    section = text.partition("### Evaluators")[2]
    assert "`reply.broken` (12 errors, no value: LookupError: 표가 없다: A)" in section
    assert section.index("reply.broken") < section.index("reply.half") < section.index("| Cell |")
    assert "<details><summary>" in section and section.count("`reply.fine3.one`") == 1
    (page,) = (folder / "reports").rglob("*.html")
    assert "12 errors, no value: LookupError" in page.read_text(encoding="utf-8")


def test_json_and_facade_hold_every_evaluator(cli: Cli, folder: Path) -> None:
    done = cli("bench", "small", "-w", folder, "--json", folder / "out.json")
    assert done.code == 0, done.err
    (cell,) = json.loads((folder / "out.json").read_text(encoding="utf-8"))["cells"]
    first, second = cell["evaluators"][:2]
    words = next(one for one in cell["evaluators"] if one["key"] == "reply.words")
    assert (first["key"], first["failed"], first["errors"], first["metrics"]) == ("reply.broken", True, 12, [])
    assert (second["key"], second["n"], second["errors"]) == ("reply.half", 6, 6)
    assert not words["failed"] and not words["metrics"]
    with driftgate.open(folder) as workspace:
        frame = workspace.run().evaluators()
    assert list(frame["evaluator"].head(3)) == ["broken", "half", "right"]
    assert frame.set_index("evaluator").loc["right", "decides"].all() and len(frame) == 9 * 5 + 2 + 3


def test_the_service_tells_it_in_json_and_on_its_page(cli: Cli, folder: Path) -> None:
    from fastapi import APIRouter
    from fastapi.testclient import TestClient
    from sqlalchemy import event

    from driftgate.service._app import Page, create_app

    bench(cli, folder)
    asked: list[str] = []
    with driftgate.open(folder) as workspace:
        event.listen(workspace.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        nothing = Page(*[lambda: []] * 5, leading=lambda: True)
        client = TestClient(create_app(workspace.ledger, "seen", lambda scope: lambda: None, nothing, [APIRouter()]))
        run = client.get("/api/runs").json()[0]["id"]
        (cell,) = client.get(f"/api/runs/{run}").json()["cells"]
        page = client.get("/").text
        statements = list(asked)
        (scores,) = workspace.run().scored
    assert [one["key"] for one in cell["evaluators"][:3]] == ["reply.broken", "reply.half", "reply.right"]
    assert cell["evaluators"] == [one.as_json() for one in scores.evaluated]
    assert "reply.broken" in page and "12 errors, no value: LookupError" in page and "reply.fine1" not in page
    # A page that is looked at all day reads no sample of a run, of which there may be tens of thousands.
    assert any("evaluations" in one for one in statements) and any("samples" in one for one in asked)
    assert not [one for one in statements if "samples" in one], statements
