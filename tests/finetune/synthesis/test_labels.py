"""Personal data in a label is taken out as it is in a text: slices, labels, names of files, ways of writing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import make_sample
from driftgate.finetune.firewall import Firewall
from driftgate.finetune.privacy import StandIns
from driftgate.finetune.synthesis import (
    FILTERS,
    Candidate,
    CoverageDataset,
    Setting,
    SynthesisConfig,
    gather,
    read_prompts,
    record_dataset,
    synthesize,
    write_dataset,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import open_ledger

WHO, PHONE = "김상우", "010-1234-5678"
BOTH = f"{WHO} {PHONE}"
Write = Callable[[Path, Iterable[Any]], None]


def make(folder: Path, stand_ins: StandIns | None = None, **config: Any) -> CoverageDataset:
    wanted = SynthesisConfig.model_validate({"count": 20, "near_duplicate": 1.0, **config})
    return asyncio.run(synthesize(wanted, folder, Firewall([]), stand_ins=stand_ins))


def kept(dataset: CoverageDataset, folder: Path, name: str = "") -> str:
    """Everything that is kept of a set: its files, and the ledger's."""
    write_dataset(dataset, folder / "set", name)
    ledger = open_ledger("ledger.db", folder)
    record_dataset(ledger, dataset)
    ledger.close()
    files = [*(folder / "set").iterdir(), *folder.glob("ledger.db*")]
    return "\n".join(file.read_bytes().decode("utf-8", "replace") for file in files)


def clean(told: str) -> bool:
    return WHO not in told and PHONE not in told and "\\uae40\\uc0c1\\uc6b0" not in told


def questions(category: str) -> list[Mapping[str, Any]]:
    return [
        {
            "question": f"창고 {n}번 칸은 어디에 있나요?",
            "choices": [f"{n}층", f"{n + 9}층"],
            "answer": "A",
            "category": category,
        }
        for n in range(20, 40)
    ]


def by_category(folder: Path, lines: Write) -> dict[str, Any]:
    lines(folder / "asked.jsonl", questions(BOTH))
    return {"sources": [{"kind": "questions", "path": "asked.jsonl"}]}


def by_file(folder: Path, lines: Write) -> dict[str, Any]:
    lines(folder / f"{BOTH}.jsonl", questions("창고"))
    return {"sources": [{"kind": "questions", "path": f"{BOTH}.jsonl"}]}


def by_document(folder: Path, lines: Write) -> dict[str, Any]:
    (folder / "docs" / f"{BOTH}.md").write_text((folder / "docs/refund.md").read_text("utf-8"), "utf-8")
    (folder / "docs" / f"{BOTH}.bin").write_bytes(b"\0\1")
    return {"sources": [{"kind": "documents", "path": "docs"}], "per_source": 9}


def by_folder(folder: Path, lines: Write) -> dict[str, Any]:
    within = folder / "docs" / BOTH
    within.mkdir()
    (folder / "docs/refund.md").rename(within / "a.md")
    return {"sources": [{"kind": "documents", "path": "docs"}], "per_source": 9}


def by_label(folder: Path, lines: Write) -> dict[str, Any]:
    rows = [
        {"text": f"{n}번 물건이 안 와요", "label": f"{BOTH} 담당" if n % 2 else "배송", "slice": BOTH}
        for n in range(20)
    ]
    lines(folder / "told.jsonl", rows)
    return {"sources": [{"kind": "examples", "path": "told.jsonl"}]}


def by_setting(folder: Path, lines: Write) -> dict[str, Any]:
    rows = [{"text": f"{n}번 물건이 안 와요", "label": "ab"[n % 2]} for n in range(20)]
    lines(folder / "told.jsonl", rows)
    labels = {"a": f"{WHO} 담당", "b": "배송"}
    return {"sources": [{"kind": "examples", "path": "told.jsonl", "labels": labels, "slice": BOTH}], "slices": [BOTH]}


def by_persona(folder: Path, lines: Write) -> dict[str, Any]:
    said = {"a": ["{n}번 물건이 안 와요", "{n}번이 늦어요"], "b": ["{n}번 돈이 안 왔어요", "{n}번을 돌려주세요"]}
    source = {"kind": "templates", "templates": said, "slots": {"n": list("123456789")}}
    return {"sources": [source], "personas": [{"name": BOTH, "openings": ["저기, "]}]}


PLACES = (by_category, by_file, by_document, by_folder, by_label, by_setting, by_persona)


@pytest.mark.parametrize("place", PLACES, ids=[place.__name__ for place in PLACES])
@pytest.mark.parametrize("stand_ins", [None, StandIns(b"key")], ids=["placeholders", "stand_ins"])
def test_personal_data_in_a_label_is_nowhere_that_a_set_is_kept(
    workspace: Path, lines: Write, place: Callable[[Path, Write], dict[str, Any]], stand_ins: StandIns | None
) -> None:
    dataset = make(workspace, stand_ins, **place(workspace, lines))
    assert dataset.items
    told = kept(dataset, workspace)
    assert clean(told)
    assert "<PERSON>" in told or place is by_setting
    if place not in (by_persona, by_setting):
        assert dataset.redactions >= 2, "a value in a label is counted"


def test_what_is_named_alike_without_its_personal_data_stays_apart(workspace: Path) -> None:
    text = (workspace / "docs/refund.md").read_text("utf-8")
    for number in ("010-1234-5678", "010-8765-4321"):
        (workspace / "docs" / f"{number}.md").write_text(text + number, "utf-8")
    config = SynthesisConfig.model_validate({"count": 9, "sources": [{"kind": "documents", "path": "docs"}]})
    (found,) = gather(config, workspace).by_source
    assert len({one.id for one in found}) == len(found) == 4
    assert {"1/<PHONE_MOBILE>.md", "1/<PHONE_MOBILE>.md (2)"} <= {one.id for one in found}


def test_a_slice_is_found_by_the_name_that_the_material_gives_it(workspace: Path, lines: Write) -> None:
    lines(workspace / "asked.jsonl", [*questions(BOTH), *questions("창고")])
    sources = [{"kind": "questions", "path": "asked.jsonl"}]
    assert {item.slice for item in make(workspace, sources=sources, slices=[BOTH]).items} == {"<PERSON> <PHONE_MOBILE>"}
    with pytest.raises(DriftgateError, match="<PERSON>") as none:
        make(workspace, sources=sources, slices=["없음"])
    assert clean(str(none.value))


def test_ordinary_labels_stay_as_they_are(workspace: Path, lines: Write) -> None:
    dataset = make(workspace, sources=[{"kind": "examples", "path": "tickets.jsonl"}], count=7)
    assert {item.slice for item in dataset.items} == {"배송", "환불"} and dataset.redactions == 1
    assert {item.source.partition(":")[0] for item in dataset.items} == {"1/tickets.jsonl"}


def test_prompts_and_the_name_of_a_set_too(workspace: Path, lines: Write) -> None:
    lines(workspace / "asked.jsonl", [{"prompt": "연차는?", "slice": BOTH}])
    (prompt,) = read_prompts(workspace / "asked.jsonl")
    assert (prompt.slice, prompt.redactions) == ("<PERSON> <PHONE_MOBILE>", 2)
    dataset = make(workspace, **by_category(workspace, lines))
    assert clean(kept(dataset, workspace, f"{BOTH} 세트"))


@pytest.mark.parametrize("field", ["slice", "label", "phrasing", "source"])
def test_the_check_looks_at_labels(field: str) -> None:
    told = {"slice": "배송", "label": "오늘", "phrasing": "plain", "source": "1/a.md#2", field: BOTH}
    rest = {"text": "t", "source_hash": "h", "generator": "g", "generator_version": "1", "seed": 0}
    item = Candidate("언제 오나요?", ("오늘", "내일"), "A", **told, **rest)
    config = SynthesisConfig.model_validate({"sources": [{"kind": "documents", "path": "docs"}], "count": 10})
    setting = Setting(config, {}, Firewall([]))
    assert FILTERS.get("privacy").check([item], setting) == ["PERSON, PHONE_MOBILE"]


def test_a_measured_question_as_the_worse_answer_is_refused() -> None:
    asked = "훈민정음을 반포한 해에 집현전에서 이루어진 일로 알맞은 것은 무엇인가?"
    rest = {"text": "t", "source_hash": "h", "generator": "g", "generator_version": "1", "seed": 0}
    told = {"slice": "배송", "label": "오늘", "phrasing": "plain", "source": "1/a"}
    item = Candidate("언제 오나요?", (), "내일", **told, **rest, wrong=asked)
    config = SynthesisConfig.model_validate({"sources": [{"kind": "documents", "path": "docs"}], "count": 10})
    sample = make_sample("d", "test", 0, {"question": asked, "choices": ["가", "나"]})
    assert all(FILTERS.get("firewall").check([item], Setting(config, {}, Firewall([sample]))))
