"""Documents on the command line: what was read, which ids are refused, and questions that no document answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from embeddings_endpoint import EmbeddingsEndpoint
from pdf_files import pdf

import driftgate
from driftgate.flows.errors import DriftgateError

ROWS: list[dict[str, Any]] = [
    {"id": "leave", "question": "연차는 며칠인가?", "answer": "17일", "relevant": ["hr/leave"], "spans": ["17일"]},
    {
        "id": "parking",
        "question": "주차비는 얼마인가?",
        "answer": "6만 원",
        "relevant": ["parking"],
        "spans": ["6만 원"],
    },
    {"id": "none", "question": "기숙사 월세는 얼마인가?", "relevant": [], "spans": []},
    {"id": "none-too", "question": "통근버스는 몇 시에 떠나나?", "answer": "", "relevant": [], "spans": []},
]


def reply(prompt: str) -> Answer:
    """A model that knows two answers, and says of one question that there is none."""
    asked = prompt.rsplit("질문", 1)[1]
    if "연차" in asked:
        return Answer("17일")
    return Answer("6만 원" if "주차" in asked or "기숙사" in asked else "문서에 나와 있지 않습니다.")


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    endpoint.default = reply
    docs = tmp_path / "docs"
    (docs / "hr").mkdir(parents=True)
    (docs / "hr/leave.md").write_text("# 휴가\n\n연차휴가는 해마다 17일이다.", "utf-8")
    (docs / "parking.txt").write_bytes("주차비는 한 달에 6만 원이다.".encode("cp949"))
    (docs / "scan.pdf").write_bytes(pdf([""]))
    (docs / "hr/plan.docx").write_bytes(b"PK")
    write(tmp_path, endpoint, ROWS)
    return tmp_path


def write(folder: Path, endpoint: ChatEndpoint, rows: list[dict[str, Any]], **retriever: Any) -> None:
    (folder / "ours.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt", "attempts": 1, "timeout": 5.0}
    config = {
        "version": 1,
        "models": {"m": {**model, "prices": {"input": 0, "output": 0}}},
        "datasets": {"ours": {"kind": "jsonl", "path": "ours.jsonl"}},
        "retrievers": {"ours": {"folder": "docs", **retriever}},
        "suites": {
            "rag": {
                "models": ["m"],
                "flow": "rag_qa",
                "variants": ["rag,instruct"],
                "datasets": ["ours"],
                "retriever": "ours",
            }
        },
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


def test_the_command_names_every_file(cli: Cli, folder: Path) -> None:
    done = cli("documents", "-w", str(folder))
    assert done.code == 0
    for word in ("hr/leave.md", "parking.txt", "CP949", "scan.pdf", "there is no text on its 1 pages", "hr/plan.docx"):
        assert word in done.out, done.out
    told = json.loads(cli("documents", "ours", "--json", "-w", str(folder)).out)
    assert [one["document"] for one in told["read"]] == ["hr/leave", "parking"] and told["encodings"] == {
        "UTF-8": 1,
        "CP949": 1,
    }
    with driftgate.open(folder) as ws:
        assert ws.documents().passages == 2
        with pytest.raises(DriftgateError, match="no retriever 'our'"):
            ws.documents("our")


def test_what_was_not_read_is_said_by_doctor_bench_show_and_the_report(cli: Cli, folder: Path) -> None:
    said = "2 files are not read"
    assert said in cli("doctor", "-w", str(folder)).out
    done = cli("bench", "rag", "-w", str(folder))
    assert done.code == 0 and done.out.count(said) == 2  # before anything is asked, and beside the scores
    assert said in cli("runs", "show", "-w", str(folder)).out
    with driftgate.open(folder) as ws:
        run = ws.run()
        kept = run.row.plan["cells"][0]["documents"]
    assert [one["path"] for one in kept["skipped"]] == ["hr/plan.docx", "scan.pdf"] and kept["longest"] == 19
    (page,) = (folder / "reports" / run.id).glob("*.html")
    assert said in page.read_text("utf-8")


def test_a_question_without_an_answer_is_right_where_the_model_says_so(cli: Cli, folder: Path) -> None:
    assert cli("bench", "rag", "-w", str(folder)).code == 0
    with driftgate.open(folder) as ws:
        (cell,) = ws.run().scored
        values = {one.name: (one.n, one.errors) for one in cell.evaluators}
        score = {row.metric: row.value for row in cell.rows if row.slice_kind == "all"}
    assert score["accuracy"] == 0.75
    assert score["answer.correct.abstained"] == 0.5 and score["answer.correct.withheld"] == 0.0
    assert score["retrieve.ranking.recall@1"] == 1.0
    assert values["retrieve.ranking.recall@1"] == (2, 0) and values["retrieve.ranking.none_found"] == (2, 0)
    assert values["retrieve.holds_answer.complete"] == values["answer.wording.match"] == (2, 0)
    assert not any(errors for _, errors in values.values())


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("hr/leav", "did you mean 'hr/leave'?"),
        ("hr/leave.md", "did you mean 'hr/leave'? Documents are named by their path in the folder, without suffix"),
        ("leave", "did you mean 'hr/leave'?"),
        ("scan", "whose file scan.pdf was not read: there is no text on its 1 pages"),
    ],
)
def test_a_relevant_document_that_is_not_searched_is_refused_before_the_run(
    cli: Cli, folder: Path, endpoint: ChatEndpoint, named: str, said: str
) -> None:
    write(folder, endpoint, [*ROWS, {**ROWS[0], "id": "odd", "question": "병가는?", "relevant": ["parking", named]}])
    done = cli("bench", "rag", "-w", str(folder))
    assert done.code == 2 and not endpoint.requests
    assert f"'{named}' (sample 'odd')" in done.err and said in done.err
    assert f"'{named}' (sample 'odd')" in cli("doctor", "-w", str(folder)).out


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX links")
def test_a_link_that_leads_round_to_itself_is_named_and_is_no_defect(cli: Cli, folder: Path) -> None:
    (folder / "docs/round.md").symlink_to("round.md")
    done = cli("documents", "ours", "-w", str(folder))
    assert done.code == 0 and "round.md" in done.out and "it cannot be opened" in " ".join(done.out.split()), done.err
    (folder / "ours.jsonl").unlink()
    (folder / "ours.jsonl").symlink_to("ours.jsonl")
    done = cli("bench", "rag", "-w", str(folder))
    assert done.code == 2 and "'datasets.ours.path' is a link that leads round to itself" in done.err


@pytest.fixture
def embeddings() -> Iterator[EmbeddingsEndpoint]:
    served = EmbeddingsEndpoint({"rest": ("연차",), "car": ("주차",)})
    served.start()
    yield served
    served.stop()


def test_what_embeddings_cost_stands_in_the_runs_cost(
    cli: Cli, folder: Path, endpoint: ChatEndpoint, embeddings: EmbeddingsEndpoint
) -> None:
    by = {"endpoint": f"{embeddings.url}/v1", "model": "ko", "price": 1000.0}
    write(folder, endpoint, ROWS, embeddings=by)
    assert cli("bench", "rag", "-w", str(folder)).code == 0
    asked = [text for request in embeddings.requests for text in request["body"]["input"]]
    with driftgate.open(folder) as ws:
        (cell,) = ws.run().scored
        cost = cell.get("cost")
    assert cost is not None and cost.value == pytest.approx(sum(len(text.split()) for text in asked) * 1e-3)


def test_an_embedding_endpoint_that_is_down_stops_the_run_with_a_sentence(
    cli: Cli, folder: Path, endpoint: ChatEndpoint, embeddings: EmbeddingsEndpoint
) -> None:
    embeddings.faults = [web.Response(status=503, text="down") for _ in range(50)]
    write(folder, endpoint, ROWS, embeddings={"endpoint": f"{embeddings.url}/v1", "model": "ko", "attempts": 1})
    done = cli("bench", "rag", "-w", str(folder))
    assert done.code == 2 and "retriever 'ours': its passages have no embeddings" in done.err + done.out
    assert not endpoint.requests


NO_NUMBER = b'{"data": [{"index": 0, "embedding": [NaN, 1.0, 1.0]}]}'
BROKEN: list[tuple[int, bytes]] = [
    (500, b"boom"),
    (200, b"<html>sign in</html>"),
    (200, b""),
    (200, NO_NUMBER),
    (200, json.dumps({"data": [{"index": 0, "embedding": [1.0] * 7}]}).encode()),
]


def many(folder: Path, endpoint: ChatEndpoint, embeddings: EmbeddingsEndpoint, count: int = 40) -> None:
    rows = [ROWS[0] | {"id": f"leave{n}", "question": f"연차는 며칠인가? ({n})"} for n in range(count)]
    write(folder, endpoint, rows, embeddings={"endpoint": f"{embeddings.url}/v1", "model": "ko", "attempts": 1})


@pytest.mark.parametrize(("status", "body"), BROKEN)
def test_embeddings_that_are_gone_stop_the_cell_before_it_is_a_score(
    cli: Cli, folder: Path, endpoint: ChatEndpoint, embeddings: EmbeddingsEndpoint, status: int, body: bytes
) -> None:
    many(folder, endpoint, embeddings)
    good, first = embeddings.answer, 6
    embeddings.answer = lambda asked: (  # type: ignore[method-assign]
        good(asked) if len(embeddings.requests) <= first else web.Response(status=status, body=body)
    )
    done = cli("bench", "rag", "-w", str(folder))
    said = " ".join(done.err.split())
    host = embeddings.url.removeprefix("http://")
    assert done.code == 2, done.out
    assert f"retriever 'ours' ({host}/v1) gives nothing any more: 10 questions in a row had no answer" in said
    assert "see that it answers there" in said and "--retry-failed" in said
    assert len(embeddings.requests) < 40 and "1.000" not in done.out  # no row of scores
    assert cli("gate", "latest", "-w", str(folder)).code == 2

    embeddings.answer = good  # type: ignore[method-assign]
    again = cli("bench", "rag", "--resume", "--retry-failed", "-w", str(folder))
    assert again.code == 0, again.err
    with driftgate.open(folder) as ws:
        assert ws.run().scored[0].outcomes["answered"] == 40


@pytest.mark.parametrize(("status", "body"), BROKEN[:4])
def test_embeddings_that_are_broken_beforehand_are_the_retrievers_fault_and_not_the_flows(
    cli: Cli, folder: Path, endpoint: ChatEndpoint, embeddings: EmbeddingsEndpoint, status: int, body: bytes
) -> None:
    many(folder, endpoint, embeddings)
    embeddings.answer = lambda asked: web.Response(status=status, body=body)  # type: ignore[method-assign]
    for command in (("bench", "rag"), ("doctor",)):
        done = cli(*command, "-w", str(folder))
        said = " ".join((done.err + done.out).split())
        assert done.code == 2, said
        assert "its passages have no embeddings" in said
        assert f"({embeddings.url.removeprefix('http://')}/v1)" in said and "see that the endpoint answers" in said
        assert "fails on sample" not in said and "correct what it names" not in said
    assert not [request for request in endpoint.requests if "연차" in request.prompt]
