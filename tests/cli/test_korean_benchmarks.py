"""Korean benchmarks in their published layout, from the workspace file to a score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli

from driftgate.benchmarks.scores import score_run
from driftgate.ledger import latest_runs, open_ledger


def write(folder: Path, endpoint: ChatEndpoint, kind: str, rows: list[dict[str, Any]], file: str, **suite: Any) -> Path:
    (folder / "data").mkdir()
    (folder / "data" / file).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    config = {
        "version": 1,
        "models": {"tested": model},
        "datasets": {"asked": {"kind": kind, "path": "data"}},
        "suites": {"small": {"models": ["tested"], "datasets": ["asked"], **suite}},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return folder


def accuracy(cli: Cli, folder: Path) -> float:
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        (cell,) = score_run(ledger, latest_runs(ledger, 1)[0].id)
    finally:
        ledger.close()
    return next(row.value for row in cell.rows if row.metric == "accuracy" and row.slice_kind == "all")


def test_kmmlu_redux_is_asked_as_multiple_choice(tmp_path: Path, endpoint: ChatEndpoint, cli: Cli) -> None:
    rows = [
        {
            "question": f"{n}번 문제",
            "options": [f"{n}의 {p}" for p in "가나다라"],
            "solution": str(n % 4 + 1),
            "category": "건설",
        }
        for n in range(8)
    ]
    folder = write(tmp_path, endpoint, "kmmlu_redux", rows, "test.json", flow="multiple_choice", variants=["terse"])
    endpoint.default = Answer("B")
    assert accuracy(cli, folder) == 0.25


def test_kosimpleqa_is_asked_by_the_chat_flow_and_matched_as_words(
    tmp_path: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    cities = ["서울", "부산", "대구", "인천", "광주"]
    rows = [
        {"id": n, "content": f"{n}번째 도시는?", "answer": city, "category": "지리", "answer_type": "Place"}
        for n, city in enumerate(cities)
    ]
    binding = {"response": "${nodes.reply.output}", "ground_truth": "${data.answer}"}
    evaluators = {
        "reply": {
            "matched": {"evaluator": "normalised_match", "inputs": binding},
            "declined": {"evaluator": "refusal", "inputs": {"text": "${nodes.reply.output}"}},
        }
    }
    folder = write(
        tmp_path,
        endpoint,
        "kosimpleqa",
        rows,
        "updated_kosimpleqa_with_trans.json",
        flow="chat",
        variants=["turns"],
        evaluators=evaluators,
        primary="reply.matched.contained",
    )
    endpoint.script("0번째", Answer("그 도시는 서울입니다."))
    endpoint.script("1번째", Answer("부산광역시입니다"))
    endpoint.script("2번째", Answer("죄송하지만 답변을 드릴 수 없습니다."))
    endpoint.default = Answer("수원입니다.")
    assert accuracy(cli, folder) == 0.4


def test_ifeval_ko_is_asked_by_the_chat_flow_and_its_instructions_are_checked(
    tmp_path: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    options = "제 답변은 예입니다.", "제 답변은 아니요입니다."
    more, fewer = "at least", "less than"
    asked: list[tuple[str, list[str], list[dict[str, Any]]]] = [
        (
            "쉼표 없이 '봄'을 두 번 쓰세요.",
            ["punctuation:no_comma", "keywords:frequency"],
            [{}, {"keyword": "봄", "frequency": 2, "relation": more}],
        ),
        (
            "봄을 세 문장 미만으로 쓰세요.",
            ["length_constraints:number_sentences"],
            [{"num_sentences": 3, "relation": fewer}],
        ),
        (f"다음 중 하나로 답하세요: {' '.join(options)}", ["detectable_format:constrained_response"], [{}]),
        ("제목을 <<제목>>처럼 쓰세요.", ["detectable_format:title"], [{}]),
        ("영어로만 답하세요.", ["language:response_language"], [{"language": "en"}]),
    ]
    rows = [
        {"key": n, "prompt": prompt, "instruction_id_list": ids, "kwargs": given}
        for n, (prompt, ids, given) in enumerate(asked)
    ]
    binding = {"text": "${nodes.reply.output}", "instructions": "${data.instructions}"}
    folder = write(
        *(tmp_path, endpoint, "ifeval_ko", rows, "train.json"),
        flow="chat",
        variants=["turns"],
        evaluators={"reply": {"asked": {"evaluator": "instructions", "inputs": binding}}},
        primary="reply.asked.followed",
    )
    endpoint.script("두 번", Answer("봄이 오면 봄꽃이 핍니다."))
    endpoint.script("세 문장", Answer("봄입니다. 꽃이 핍니다. 새가 웁니다."))
    endpoint.script("하나로", Answer("My answer is yes."))  # not one of those that its prompt lists
    endpoint.script("제목", Answer("<<봄>> 꽃이 핍니다."))
    endpoint.script("영어로만", Answer("Spring is here and the flowers bloom."))
    assert accuracy(cli, folder) == 0.6


def test_abstentions_of_the_maths_flow_are_listed_with_why(tmp_path: Path, endpoint: ChatEndpoint, cli: Cli) -> None:
    rows = [{"question": f"{n} 더하기 {n}은?", "original": "", "answer": f"{2 * n}.0"} for n in range(1, 6)]
    folder = write(tmp_path, endpoint, "hrm8k", rows, "ksm_test.json", flow="maths", variants=["zero_shot"])
    endpoint.script("1 더하기", Answer("정답은 2 또는 3입니다."))
    endpoint.script("2 더하기", Answer("\\boxed{2n}"))
    endpoint.script("3 더하기", Answer("정답: 6개"))
    endpoint.default = Answer("8")
    assert accuracy(cli, folder) == 0.4
    listed = cli("runs", "samples", "--failed", "-w", folder).out
    assert listed.count("unparsed") >= 2 and "several" in listed and "unread" in listed
