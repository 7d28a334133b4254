from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter

import pytest
from pydantic import ValidationError

from driftgate.benchmarks.datasets import load_dataset, make_sample, parse_config
from driftgate.finetune.firewall import Firewall
from driftgate.finetune.privacy import redact
from driftgate.finetune.synthesis import (
    SynthesisConfig,
    as_samples,
    built_in_personas,
    record_dataset,
    recorded_lineage,
    report_of,
    synthesize,
    write_dataset,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import open_ledger

OPEN = Firewall([])


def make(workspace, firewall=OPEN, **config):
    return asyncio.run(synthesize(SynthesisConfig.model_validate(config), workspace, firewall))


def dropped(dataset):
    return {entry.filter: entry.count for entry in dataset.dropped}


def documents(**more):
    return {"kind": "documents", "path": "docs", **more}


def examples(**more):
    return {"kind": "examples", "path": "tickets.jsonl", **more}


def test_extracted_answers_stand_in_the_passage_and_the_alternatives_are_of_their_kind(workspace):
    dataset = make(workspace, sources=[documents()], count=30, per_source=30)
    assert len(dataset.items) >= 10
    for item in dataset.items:
        assert item.right_choice in item.passage
        assert len(set(item.choices)) == 4
        wrong = [choice for choice in item.choices if choice != item.right_choice]
        assert not [choice for choice in wrong if item.phrasing == "statement" and choice in item.passage]
        if item.label == "money":
            assert all("원" in choice for choice in item.choices)
    assert {item.slice for item in dataset.items} == {"refund", "delivery"}
    assert {item.phrasing for item in dataset.items} == {"gap", "statement"}


def test_personal_data_is_gone_before_anything_is_generated(workspace):
    dataset = make(workspace, sources=[documents(), examples()], count=60, per_source=30)
    assert dataset.redactions == 3
    everything = str(report_of(dataset)) + str([item.data for item in dataset.items])
    assert "홍길순" not in everything
    assert "1234-5678" not in everything
    assert "5432" not in everything
    assert any("<PHONE_MOBILE>" in item.question for item in dataset.items)


def test_labelled_examples_keep_their_text_and_label(workspace):
    dataset = make(
        workspace, sources=[examples(labels={"delivery": "물류", "payment": "정산", "device": "기술"})], count=7
    )
    assert {item.text: item.right_choice for item in dataset.items}["두 번 결제됐어요"] == "정산"
    assert all(set(item.choices) == {"물류", "정산", "기술"} for item in dataset.items)


def test_material_may_be_in_another_unicode_form_than_the_settings(workspace):
    path = workspace / "tickets.jsonl"
    named = path.read_text(encoding="utf-8").replace('"delivery"', '"배송"').replace('"payment"', '"결제"')
    path.unlink()
    (workspace / unicodedata.normalize("NFD", "문의.jsonl")).write_text(unicodedata.normalize("NFD", named), "utf-8")
    labels = {"배송": "물류", "결제": "정산", "device": "기술"}
    dataset = make(workspace, sources=[examples(path="문의.jsonl", labels=labels)], count=7)
    assert {item.text: item.right_choice for item in dataset.items}["두 번 결제됐어요"] == "정산"
    assert {item.slice for item in dataset.items} <= {"배송", "환불"}


def test_templates_cover_every_label_with_every_persona_evenly(workspace, templates):
    dataset = make(workspace, sources=[templates], count=48, surplus=3, near_duplicate=0.95, per_source=48)
    personas = {persona.name for persona in built_in_personas()}
    assert set(dataset.cells) == {
        ("새 제품", team, name) for team in ("물류팀", "정산팀", "기술팀") for name in personas
    }
    assert not dataset.missing
    assert set(dataset.cells.values()) == {2}
    assert all(item.passage == "전화가 오면 물류팀이 맡는다." for item in dataset.items)
    assert all("{" not in item.question and item.question.endswith("맡을 팀은?") for item in dataset.items)


def test_own_personas_replace_the_built_in_ones(workspace, templates):
    persona = {"name": "brief", "openings": ["저기요 "], "closings": ["!!"]}
    dataset = make(workspace, sources=[templates], personas=[persona], count=6)
    assert {item.phrasing for item in dataset.items} == {"brief"}
    assert all(item.text.startswith("저기요 ") and item.text.endswith("!!") for item in dataset.items)


def test_the_seed_decides_everything(workspace, templates):
    sources = [documents(), examples(), templates]
    assert make(workspace, sources=sources, seed=4) == make(workspace, sources=sources, seed=4)
    assert make(workspace, sources=sources, seed=4).items != make(workspace, sources=sources, seed=5).items


def test_shares_divide_the_count(workspace, templates):
    dataset = make(workspace, sources=[{**templates, "share": 3}, examples(share=1)], count=16, near_duplicate=1.0)
    assert Counter(item.generator for item in dataset.items) == {"templated": 12, "labelled": 4}


def test_only_the_failing_slices_are_used(workspace):
    dataset = make(workspace, sources=[examples()], slices=["환불"])
    assert {item.slice for item in dataset.items} == {"환불"}
    with pytest.raises(DriftgateError, match="no material of the slices 없음; it has 배송, 환불"):
        make(workspace, sources=[examples()], slices=["없음"])


def test_benchmark_items_in_the_material_are_refused(workspace, lines):
    samples = load_dataset("sample", parse_config({"kind": "sample"}), workspace).samples
    # A question about people of history loses their names as it is read, and is no copy any more.
    own = [s for s in samples if not any(redact(text).findings for text in (s.data["question"], *s.data["choices"]))]
    lines(workspace / "ready.jsonl", [{**sample.data, "category": sample.category} for sample in own[:40]])
    dataset = make(workspace, Firewall(own[:10]), sources=[{"kind": "questions", "path": "ready.jsonl"}], count=40)
    assert dropped(dataset)["firewall"] == 10
    assert {item.question for item in dataset.items} == {sample.data["question"] for sample in own[10:40]}
    entry = next(entry for entry in dataset.dropped if entry.filter == "firewall")
    assert own[0].data["question"] not in str(entry)  # the report names the sample, and does not unseal it
    assert "sample/test/" in entry.reason


HELD = {
    "delivery": [
        "{p} 기사님이 엉뚱한 집에 두고 가셨어요.",
        "경비실에 맡긴 {p} 짐이 사라졌어요.",
        "{p} 도착일이 밀려요.",
    ],
    "payment": ["{p} 할부 개월을 늘려 주세요.", "적립금이 {p} 살 때 안 쌓였어요.", "{p} 입금했는데 미결제로 나와요."],
    "device": ["{p} 버튼이 눌린 채예요.", "{p} 충전 단자가 헐거워요.", "떨어뜨린 뒤로 {p} 소음이 커졌어요."],
}


def test_a_holdout_of_the_same_task_lets_new_phrasings_through_and_leaked_ones_not(workspace, templates):
    voice = {
        "name": "all",
        "openings": ["", "안녕하세요. ", "급합니다! "],
        "closings": ["", " 도와주세요.", " 연락 주세요."],
    }
    config = {"personas": [voice], "near_duplicate": 1.0, "per_source": 99}
    held = {**templates, "templates": HELD}
    holdout = as_samples(make(workspace, sources=[held], count=60, **config), "holdout")
    assert len(holdout) == 60
    firewall = Firewall(holdout)
    new = make(workspace, firewall, sources=[templates], count=40, **config)
    assert dropped(new)["firewall"] <= 0.05 * new.generated
    leaked = make(workspace, firewall, sources=[held], count=60, seed=8, **config)
    assert dropped(leaked)["firewall"] >= 0.95 * leaked.generated


def test_repetitions_and_crowds_are_dropped_and_counted(workspace, lines):
    rows = [{"text": f"택배가 아직도 안 와요{'!' * n}", "label": "delivery"} for n in range(5)]
    rows += [{"text": text, "label": "device"} for text in ("화면이 나가요", "소리가 안 나요")]
    lines(workspace / "tickets.jsonl", rows)
    dataset = make(workspace, sources=[examples()])
    assert dropped(dataset)["near_duplicate"] == 4
    entry = next(entry for entry in dataset.dropped if entry.filter == "near_duplicate")
    assert entry.reason.startswith("1.00 of it is in")
    assert "택배가" in entry.example
    crowd = make(workspace, sources=[documents()], per_source=2, count=50)
    assert Counter(item.source for item in crowd.items) == {"1/refund.md": 2, "1/delivery.txt": 2}
    assert dropped(crowd)["diversity"] > 0


def test_every_candidate_is_accounted_for(workspace, templates):
    dataset = make(workspace, sources=[templates, documents()], count=20, near_duplicate=0.6)
    assert dataset.generated == len(dataset.items) + dataset.surplus + sum(dropped(dataset).values())


def test_personal_data_from_a_slot_is_caught_by_the_filter(workspace, templates):
    dataset = make(workspace, sources=[{**templates, "slots": {"p": ["하루램프(02-345-6789)"]}}], count=9)
    assert not dataset.items
    entry = next(entry for entry in dataset.dropped if entry.filter == "privacy")
    assert (entry.reason, entry.example) == ("PHONE_LANDLINE", "")


def test_a_single_label_is_no_question(workspace, lines):
    lines(workspace / "tickets.jsonl", [{"text": "택배가 안 와요", "label": "delivery"}])
    dataset = make(workspace, sources=[examples()])
    assert dropped(dataset)["schema"] == 1
    assert dataset.missing == (("", "delivery", "as_written"),)


def test_files_hold_the_items_and_their_lineage_line_by_line(workspace, templates):
    dataset = make(workspace, sources=[templates, documents()], count=20)
    path = write_dataset(dataset, workspace / "out")
    read = load_dataset("made", parse_config({"kind": "jsonl", "path": "out/items.jsonl"}), workspace)
    assert [sample.id for sample in read.samples] == [item.content_hash for item in dataset.items]
    lineage = (path.parent / "lineage.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lineage) == len(dataset.items)
    assert dataset.items[0].source_hash in lineage[0]
    samples = as_samples(dataset, "made")
    assert samples[3].data == dataset.items[3].data
    assert samples[3].id == dataset.items[3].content_hash


def test_the_ledger_keeps_lineage_once(workspace, templates):
    dataset = make(workspace, sources=[templates], count=9)
    ledger = open_ledger("ledger.db", workspace)
    try:
        key = record_dataset(ledger, dataset)
        assert record_dataset(ledger, dataset) == key
        rows = recorded_lineage(ledger, key)
        assert [row["content_hash"] for row in rows] == [item.content_hash for item in dataset.items]
        assert rows[0]["filters"] == {entry.filter: entry.version for entry in dataset.dropped}
        assert recorded_lineage(ledger, "none") == []
    finally:
        ledger.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "가"}\n', r"tickets\.jsonl, line 1 has no text under 'label'"),
        ('\n{"text": ', r"line 2 is not JSON"),
        ("[1]\n", r"line 1 is not a JSON object"),
        ("\n\n", "hold no text"),
        ('{"text": "가", "label": "delivry"}', "has the label 'delivry'; did you mean 'delivery'"),
    ],
)
def test_malformed_material_is_named_by_file_and_line(workspace, content, message):
    (workspace / "tickets.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(DriftgateError, match=message):
        make(workspace, sources=[examples(labels={"delivery": "물류", "payment": "정산"})])


def test_absent_material_is_named(workspace):
    with pytest.raises(DriftgateError, match="no documents at"):
        make(workspace, sources=[documents(path="nowhere")])
    with pytest.raises(DriftgateError, match="cannot read"):
        make(workspace, sources=[examples(path="nowhere.jsonl")])


def test_a_slot_without_values_is_named(workspace, templates):
    with pytest.raises(DriftgateError, match="a slot 'p' without values"):
        make(workspace, sources=[{**templates, "slots": {"q": ["가"]}}])


@pytest.mark.parametrize(
    "config",
    [
        {"sources": []},
        {"sources": [{"kind": "documents", "path": "docs", "generator": "model"}]},
        {"sources": [{"kind": "documents", "path": "docs"}], "personas": [{"name": "a"}, {"name": "a"}]},
        {"sources": [{"kind": "documents", "path": "docs", "labels": {}}]},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config):
    with pytest.raises(ValidationError):
        SynthesisConfig.model_validate(config)


@pytest.mark.parametrize(("kind", "generator"), [("documents", "templated"), ("examples", "extractive")])
def test_a_generator_of_another_kind_of_source_says_so(workspace, kind, generator):
    source = documents(generator=generator) if kind == "documents" else examples(generator=generator)
    with pytest.raises(DriftgateError, match=f"'{generator}' cannot use {kind}"):
        make(workspace, sources=[source])


def test_unknown_members_are_named(workspace):
    with pytest.raises(DriftgateError, match="no generator called 'extractiv'; did you mean 'extractive'"):
        make(workspace, sources=[documents(generator="extractiv")])
    with pytest.raises(DriftgateError, match="no filter called 'toxicity'"):
        make(workspace, sources=[documents()], extra_filters=["toxicity"])


def test_a_firewall_sample_is_not_needed_for_the_index_to_hold(workspace):
    firewall = Firewall(
        [make_sample("d", "test", 0, {"question": "전혀 다른 물음인가요?", "choices": ["예", "아니요"]})]
    )
    assert dropped(make(workspace, firewall, sources=[documents()]))["firewall"] == 0
