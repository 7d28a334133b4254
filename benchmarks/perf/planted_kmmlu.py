"""KMMLU items planted in a synthetic set, verbatim and edited: ``python -m benchmarks.perf.planted_kmmlu FOLDER``.

``FOLDER`` holds ``kmmlu`` and ``click`` as their publishers ship them, for example ``../shared/data``. 50 verbatim and
50 edited KMMLU items are put among 4,900 that are none (CLIcK, and questions made from made-up rules), and a synthesis
whose firewall stands around all of KMMLU is to leave out just the planted ones. First the whole product for one draw,
then the firewall alone for ``DRAWS``.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.perf.firewall_table import EDITS, _load
from driftgate.benchmarks.datasets import Sample
from driftgate.finetune._jamo import plain
from driftgate.finetune.firewall import Firewall, text_of
from driftgate.finetune.synthesis import SynthesisConfig, synthesize

SIZE, PLANTED, DRAWS = 5_000, 50, 20
KINDS = ("spaces and particles", "choices shuffled", "one choice replaced")
"""Edits that leave a question with choices."""
_THINGS = ("연차", "병가", "출장비", "숙박비", "주차", "식대", "교육비", "재택", "출입증", "노트북", "회의실", "복지비")
_DEEDS = ("신청", "정산", "지급", "점검", "반납", "배정", "심사", "갱신", "취소", "변경", "조회", "승인")


def made_up(count: int, seed: int) -> list[Mapping[str, Any]]:
    """Questions about rules of a firm that does not exist."""
    chance = random.Random(seed)
    rows: list[Mapping[str, Any]] = []
    for n in range(count):
        thing, deed, other = chance.choice(_THINGS), chance.choice(_DEEDS), chance.choice(_DEEDS)
        days = chance.sample(range(2, 90), 4)
        asked = chance.choice(["며칠 안에 해야 하는가", "기한은 며칠인가", "언제까지 마쳐야 하는가"])
        rows.append(
            {
                "question": f"사내 규정 {n + 1}번에 따를 때 {thing} {deed} 뒤 {other}은 {asked}?",
                "choices": [f"{day}일" for day in days],
                "answer": "ABCD"[n % 4],
            }
        )
    return rows


def planted_in(clean: Sequence[Mapping[str, Any]], kmmlu: Sequence[Sample], seed: int) -> tuple[list[Any], set[int]]:
    """Rows with planted items among them, and the places of these."""
    chance = random.Random(seed)
    drawn = chance.sample([s for s in kmmlu if len(set(s.data["choices"])) == 4], 2 * PLANTED)
    rows: list[tuple[bool, Mapping[str, Any]]] = [(False, row) for row in clean]
    for number, sample in enumerate(drawn):
        kind = "verbatim" if number < PLANTED else KINDS[number % len(KINDS)]
        item = EDITS[kind](str(sample.data["question"]), list(map(str, sample.data["choices"])), chance)
        assert isinstance(item, Mapping)
        rows.append((True, {**item, "answer": "A"}))
    chance.shuffle(rows)
    return [row for _, row in rows], {place for place, (planted, _) in enumerate(rows) if planted}


def holds(row: Mapping[str, Any], sample: Sample) -> bool:
    """Whether a row is a benchmark's question under another name: the exams that both draw from are the same."""
    text = plain(text_of(row))
    choices = [plain(str(choice)) in text for choice in sample.data["choices"]]
    return plain(str(sample.data["question"])) in text and 2 * sum(choices) >= len(choices)


def main(folder: Path) -> None:
    """Print what was found and what was refused wrongly."""
    kmmlu, click = _load("kmmlu", folder / "kmmlu"), _load("click", folder / "click")
    firewall = Firewall(kmmlu)
    names = ("question", "choices", "answer")
    clean: list[Mapping[str, Any]] = [{name: s.data[name] for name in names} for s in click]
    clean += made_up(SIZE - 2 * PLANTED - len(clean), 1)
    rows, planted = planted_in(clean, kmmlu, 0)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as space:
        Path(space, "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        source = {"kind": "questions", "path": "rows.jsonl"}
        config = SynthesisConfig.model_validate(
            {"sources": [source], "count": SIZE, "surplus": 1, "near_duplicate": 1.0}
        )
        made = asyncio.run(synthesize(config, Path(space), firewall))
    kept = {int(item.source.rpartition(":")[2]) - 1 for item in made.items}
    refused = {int(one.source.rpartition(":")[2]) - 1 for one in made.rejects if one.kind == "firewall"}
    print(
        f"a synthesis of {len(rows):,} items: {len(planted & kept)} of {len(planted)} planted ones are in the set, the "
        f"firewall refused {len(refused & planted)} of them and {len(refused - planted)} of the "
        f"{len(rows) - len(planted):,} others; {time.process_time() - began:.0f} s of CPU"
    )
    for place in sorted(planted & kept):
        print(f"  missed: {json.dumps(rows[place], ensure_ascii=False)}")
    found = {"verbatim": 0, "edited": 0}
    for seed in range(DRAWS):
        some, places = planted_in([], kmmlu, 1_000 + seed)
        caught = firewall.refuse(some).places
        verbatim = {place for place in places if firewall.refuse([some[place]]).by_rule.get("exact")}
        found["verbatim"] += len(caught & verbatim)
        found["edited"] += len(caught - verbatim)
    print(f"the firewall alone, {DRAWS} draws of {2 * PLANTED}: {sum(found.values())} of {DRAWS * 2 * PLANTED} refused")
    others = firewall.refuse(row for row in clean)
    of_click = sum(refusal.item < len(click) for refusal in others.refusals)
    known = {sample.key: sample for sample in kmmlu}
    same = sum(holds(clean[refusal.item], known[refusal.sample]) for refusal in others.refusals)
    print(f"of CLIcK {of_click} of {len(click):,} refused, of made-up rules {len(others.refusals) - of_click}")
    wrongly = len(others.refusals) - same
    print(
        f"{same} of them are KMMLU's own questions, letter for letter, with at least half of their choices; {wrongly} "
        f"are not, which is {wrongly / (len(clean) - same):.2%} of what is new"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
