"""What keeps personal data and measured items out of training: passages, hold-outs that are sealed, recipes' limits."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

import driftgate
from driftgate.api.privacy import assure_made, measured, require_training, seal_dataset
from driftgate.api.repair._context import clean_items
from driftgate.api.set_making import make_set
from driftgate.benchmarks.datasets import make_sample
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.firewall import Firewall
from driftgate.finetune.remediation import Material, open_remediation
from driftgate.finetune.synthesis import (
    FILTERS,
    Candidate,
    CoverageDataset,
    Dropped,
    Setting,
    SynthesisConfig,
    record_dataset,
    write_dataset,
)
from driftgate.finetune.train import TrainingItem, sha256_of, write_items
from driftgate.flows.errors import DriftgateError

QUESTION = "훈민정음을 반포한 해에 집현전에서 이루어진 일로 알맞은 것은 무엇인가?"
SECRET = "고객 응대 기록 가운데 밖으로 나가면 안 되는 문장이 길게 이어지고 있으며 누구도 이것을 외우면 안 된다."


def candidate(passage: str, question: str = "언제 오나요?") -> Candidate:
    made = {
        "slice": "배송",
        "label": "오늘",
        "phrasing": "plain",
        "text": question,
        "source": "1/a",
        "source_hash": "h",
    }
    return Candidate(
        question, ("오늘", "내일"), "A", **made, generator="g", generator_version="1", seed=0, passage=passage
    )


@pytest.fixture
def setting() -> Setting:
    config = SynthesisConfig.model_validate({"sources": [{"kind": "documents", "path": "docs"}], "count": 10})
    sample = make_sample("d", "test", 0, {"question": QUESTION, "choices": ["가", "나"]})
    return Setting(config, {}, Firewall([sample]))


@pytest.mark.parametrize(
    ("passage", "kind"),
    [
        ("담당자 박서준이 맡았다.", "PERSON"),
        ("문의는 010-2345-6789로 하세요.", "PHONE_MOBILE"),
        ("접수자 8503152023459 확인", "KR_RRN"),
    ],
)
def test_personal_data_in_a_passage_drops_the_item(setting: Setting, passage: str, kind: str) -> None:
    clean, found = FILTERS.get("privacy").check([candidate("배송은 이틀이 걸린다."), candidate(passage)], setting)
    assert (clean, found) == ("", kind)


def test_a_measured_question_in_a_passage_drops_the_item(setting: Setting) -> None:
    items = [candidate("배송은 이틀이 걸린다."), candidate(f"참고 자료: {QUESTION} 가, 나 가운데 고른다.")]
    other, found = FILTERS.get("firewall").check(items, setting)
    assert not other and found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"question": f"{n}번째 비밀 문항은 어느 창고의 {n * 7}번 칸을 묻는가?", "choices": ["동", "서"], "answer": "A"}
        for n in range(8)
    ]
    (tmp_path / "secret.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    write_config(tmp_path, {"exam": {"kind": "jsonl", "path": "secret.jsonl"}})
    return tmp_path


def write_config(folder: Path, datasets: dict[str, object]) -> None:
    config = {"version": 1, "datasets": datasets}
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def test_a_sealed_hold_out_is_kept_out_of_training_without_its_name(folder: Path) -> None:
    with driftgate.open(folder) as ws:
        sealed = seal_dataset(ws.files, ws.ledger, "exam")
        assert sealed == seal_dataset(ws.files, ws.ledger, "exam") and sealed.count == 8
        (item,) = [sample.data for sample in measured(ws.files, ws.ledger)[:1]]
    write_config(folder, {"other": {"kind": "sample"}})
    with driftgate.open(folder) as ws:
        assert Firewall(measured(ws.files, ws.ledger)).refuse([item])


@pytest.mark.parametrize("change", ["edited", "gone"])
def test_nothing_is_trained_while_a_sealed_hold_out_is_not_what_it_was(folder: Path, change: str) -> None:
    with driftgate.open(folder) as ws:
        seal_dataset(ws.files, ws.ledger, "exam")
    file = folder / "secret.jsonl"
    if change == "gone":
        file.unlink()
    else:
        file.write_text(file.read_text("utf-8").replace('"answer": "A"', '"answer": "B"', 1), "utf-8")
    write_config(folder, {"other": {"kind": "sample"}})
    with driftgate.open(folder) as ws, pytest.raises(DriftgateError, match="sealed on"):
        measured(ws.files, ws.ledger)


def recipe(**privacy: object) -> RecipeConfig:
    return RecipeConfig.model_validate(written(**privacy))


def written(**privacy: object) -> dict[str, object]:
    return {
        "champion": "assistant",
        "synthesis": {"sources": [{"kind": "documents", "path": "docs"}], "count": 10},
        "base_model": "base",
        "trainer": {"trainer": "local"},
        "proof": ["exam"],
        "gate": "small",
        "privacy": {"canaries": None, "closer_share": None, "membership_advantage": None, **privacy},
    }


def test_a_recipe_with_limits_trains_only_on_what_was_measured_and_passed(folder: Path) -> None:
    (folder / "docs").mkdir()
    (folder / "docs/a.txt").write_text(SECRET, "utf-8")
    clean, copied = folder / "clean.jsonl", folder / "copied.jsonl"
    write_items(clean, [TrainingItem("언제 오나요?", "내일")])
    write_items(copied, [TrainingItem("무엇인가?", SECRET)])
    limits = recipe(longest_run=30)
    with driftgate.open(folder) as ws:
        with pytest.raises(DriftgateError, match="never measured"):
            require_training(ws.ledger, limits, clean)
        assure_made(folder, ws.ledger, limits, [{"question": "언제 오나요?", "choices": ["내일"]}], clean)
        require_training(ws.ledger, limits, clean)
        found = assure_made(folder, ws.ledger, limits, [{"question": "무엇인가?", "choices": [SECRET]}], copied)
        assert found is not None and found.verdict == "fail"
        with pytest.raises(DriftgateError, match="longest_run: fail"):
            require_training(ws.ledger, limits, copied)
        require_training(ws.ledger, limits.model_copy(update={"privacy": None}), copied)
        write_items(clean, [TrainingItem("언제 오나요?", "내일"), TrainingItem("무엇인가?", SECRET)])
        with pytest.raises(DriftgateError, match="never measured"):
            require_training(ws.ledger, limits, clean)


def test_a_repair_trains_on_items_of_clean_lineage_whose_privacy_passed_and_on_no_others(folder: Path) -> None:
    (folder / "docs").mkdir()
    (folder / "docs/a.txt").write_text(SECRET, "utf-8")
    model = {"provider": "openai", "endpoint": "http://127.0.0.1:9/v1", "model": "m"}
    config = {
        "version": 1,
        "models": {"live": model, "base": model},
        "datasets": {"exam": {"kind": "jsonl", "path": "secret.jsonl"}},
        "suites": {"small": {"models": ["live"], "datasets": ["exam"]}},
        "gates": {"small": {"suite": "small", "rules": [{"metric": "accuracy", "min": 0.5}]}},
        "champions": {"assistant": "live"},
        "recipes": {"mend": written(longest_run=30)},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    made = candidate("", question="언제 오나요?")
    sieves = (Dropped("privacy", "1", 0, "", ""), Dropped("firewall", "1", 0, "", ""))
    file = folder / "items.jsonl"
    write_items(file, [TrainingItem("언제 오나요?", "내일", id=made.content_hash)])
    with driftgate.open(folder) as ws:
        lineage = record_dataset(ws.ledger, CoverageDataset((made,), {}, 1, sieves, 0, 0, "config", 0))
        one, _ = open_remediation(ws.ledger, "assistant", "recipe mend", "live", {"recipe": "mend"})
        material = Material(items="items.jsonl", sha256=sha256_of(file), count=1, lineage=lineage)
        with pytest.raises(DriftgateError, match="never measured"):
            clean_items(ws.files, ws.ledger, one, material)
        assure_made(folder, ws.ledger, recipe(longest_run=30), [made.data], file)
        assert clean_items(ws.files, ws.ledger, one, material) == file
        with pytest.raises(DriftgateError, match="made from"):
            clean_items(ws.files, ws.ledger, one, material.model_copy(update={"lineage": "none"}))


def test_what_an_older_check_let_pass_is_measured_again_before_it_is_trained_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "docs").mkdir()
    (folder / "docs/a.txt").write_text(SECRET, "utf-8")
    model = {"provider": "openai", "endpoint": "http://127.0.0.1:9/v1", "model": "m"}
    config = {
        "version": 1,
        "models": {"live": model, "base": model},
        "datasets": {"exam": {"kind": "jsonl", "path": "secret.jsonl"}},
        "suites": {"small": {"models": ["live"], "datasets": ["exam"]}},
        "gates": {"small": {"suite": "small", "rules": [{"metric": "accuracy", "min": 0.5}]}},
        "champions": {"assistant": "live"},
        "recipes": {"mend": written(longest_run=30)},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    sieves = (Dropped("privacy", "1", 0, "", ""), Dropped("firewall", "1", 0, "", ""))
    file = folder / "items.jsonl"
    with driftgate.open(folder) as ws:
        one, _ = open_remediation(ws.ledger, "assistant", "recipe mend", "live", {"recipe": "mend"})
        for passes, made in ((True, candidate("")), (False, candidate("", question=SECRET))):
            write_items(file, [TrainingItem(made.question, "내일", id=made.content_hash)])
            dataset = CoverageDataset((made,), {}, 1, sieves, 0, 0, "config", 0)
            write_dataset(dataset, folder / ".driftgate" / "remediations" / one.id / "synthesis")
            lineage = record_dataset(ws.ledger, dataset)
            material = Material(items="items.jsonl", sha256=sha256_of(file), count=1, lineage=lineage)
            with monkeypatch.context() as older:
                older.setattr("driftgate.finetune.assurance._store.judge", lambda: "older")
                older.setattr(
                    "driftgate.finetune.assurance._assure.longest_runs", lambda texts, sources: [0] * len(texts)
                )
                assure_made(folder, ws.ledger, recipe(longest_run=30), [made.data], file)
                assert clean_items(ws.files, ws.ledger, one, material) == file
            if passes:
                assert clean_items(ws.files, ws.ledger, one, material) == file
            else:
                with pytest.raises(DriftgateError, match="longest_run: fail"):
                    clean_items(ws.files, ws.ledger, one, material)


def test_material_with_made_up_values_reaches_the_items_and_is_no_personal_data(folder: Path) -> None:
    rows = [
        {"text": f"{name} 고객인데 {number}번 상품이 안 왔어요. 연락처는 010-1234-{5000 + number}", "label": label}
        for number, (name, label) in enumerate(
            [("박서준", "배송"), ("이민정", "환불"), ("박서준", "환불"), ("최유리", "배송")]
        )
    ]
    (folder / "tickets.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    settings = {"sources": [{"kind": "examples", "path": "tickets.jsonl"}], "count": 4, "near_duplicate": 1.0}
    config = SynthesisConfig.model_validate({**settings, "personal_data": "stand_ins"})
    with driftgate.open(folder) as ws:
        made = asyncio.run(make_set(ws.files, ws.ledger, "rules", config))
        again = asyncio.run(make_set(ws.files, ws.ledger, "rules", config))
    assert [item.data for item in made.items] == [item.data for item in again.items] and len(made.items) == 4
    told = "\n".join(item.question for item in made.items)
    assert "<" not in told and "010-0" in told
    assert not any(value in told for value in ("박서준", "이민정", "최유리", "010-1234"))
    names = [item.question.split(" 고객")[0].split()[-1] for item in made.items]
    assert len(set(names)) == 3, "the same person has the same name"
    key = folder / ".driftgate/stand_ins.key"
    assert key.stat().st_mode & 0o077 == 0
    with driftgate.open(folder) as ws:
        limits = recipe(longest_run=None)
        synthesis = limits.synthesis.model_copy(update={"sources": config.sources, "personal_data": "stand_ins"})
        limits = limits.model_copy(update={"synthesis": synthesis})
        file = folder / "items.jsonl"
        write_items(file, [TrainingItem(item.question, item.right_choice) for item in made.items])
        found = assure_made(folder, ws.ledger, limits, [item.data for item in made.items], file)
    assert found is not None and found.verdict == "pass"
