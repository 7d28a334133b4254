"""Recall of the firewall by kind of edit, and its false refusals: ``python -m benchmarks.perf.firewall_table FOLDER``.

``FOLDER`` holds ``kmmlu`` and ``click`` as their publishers ship them, for example ``../shared/data``. Edited copies of
KMMLU items are offered to a firewall around all of KMMLU; the new items are this project's own sample questions and
CLIcK, whose law questions share their source with KMMLU, so that what is refused of it is listed to be read.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from driftgate.benchmarks.datasets import Sample, load_dataset, parse_config
from driftgate.finetune.firewall import Firewall, Item, text_of

COUNT, SEED = 1000, 1
_PARTICLES = {"은": "는", "는": "은", "이": "가", "가": "이", "을": "를", "를": "을", "와": "과", "과": "와"}
Edit = Callable[[str, list[str], random.Random], Item]


def _reworded(question: str, choices: list[str], source: random.Random) -> Item:
    """Half of the particles exchanged for their pair, spaces doubled or dropped."""
    words = []
    for word in question.split():
        exchanged = len(word) > 1 and word[-1] in _PARTICLES and source.random() < 0.5
        words.append((word[:-1] + _PARTICLES[word[-1]] if exchanged else word) + source.choice([" ", "", "  "]))
    return {"question": "".join(words), "choices": choices}


def _one_replaced(question: str, choices: list[str], source: random.Random) -> Item:
    place = source.randrange(len(choices))
    return {"question": question, "choices": [*choices[:place], "해당 없음", *choices[place + 1 :]]}


def _circled(question: str, choices: list[str], source: random.Random) -> Item:
    lines = [f"{mark} {choice}" for mark, choice in zip("①②③④⑤", choices, strict=False)]
    return {"messages": [{"role": "user", "content": "\n".join([question, *lines])}]}


def _lettered(question: str, choices: list[str], source: random.Random) -> Item:
    return f"질문: {question}\n" + "\n".join(f"{m}. {c}" for m, c in zip("ABCDE", choices, strict=False)) + "\n정답: A"


def _first_half(question: str, choices: list[str], source: random.Random) -> Item:
    return {"question": question[: len(question) // 2], "choices": choices}


def _last_half(question: str, choices: list[str], source: random.Random) -> Item:
    return {"question": question[len(question) // 2 :], "choices": choices}


def _half_in_one_text(question: str, choices: list[str], source: random.Random) -> Item:
    return _lettered(question[: len(question) // 2], source.sample(choices, len(choices)), source)


CUT: dict[str, Edit] = {
    "first half, choices": _first_half,
    "last half, choices": _last_half,
    "first half, one text": _half_in_one_text,
}
"""Questions of which a half is left."""
EDITS: dict[str, Edit] = {
    "verbatim": lambda question, choices, source: {"question": question, "choices": choices},
    "spaces and particles": _reworded,
    "choices shuffled": lambda q, choices, source: {"question": q, "choices": source.sample(choices, len(choices))},
    "one choice replaced": _one_replaced,
    "letters in one text": _lettered,
    "circled digits, chat": _circled,
    "question only": lambda question, choices, source: {"question": question},
}


def edited(samples: Sequence[Sample], edit: Edit, seed: int = SEED) -> list[Item]:
    """An edited copy of every sample."""
    source = random.Random(seed)
    return [edit(str(s.data["question"]), list(map(str, s.data["choices"])), source) for s in samples]


def _load(kind: str, path: Path | None) -> Sequence[Sample]:
    config = {"kind": kind} if path is None else {"kind": kind, "path": str(path.resolve())}
    return load_dataset(kind, parse_config(config), Path()).samples


def main(folder: Path) -> None:
    """Print the table."""
    kmmlu = _load("kmmlu", folder / "kmmlu")
    firewall = Firewall(kmmlu)
    began, used = time.perf_counter(), time.process_time()
    firewall.refuse(["."])
    print(
        f"index of {len(kmmlu)} items: {time.perf_counter() - began:.1f} s, {time.process_time() - used:.1f} s of CPU"
    )
    known = {sample.key: sample for sample in kmmlu}
    planted = random.Random(SEED).sample(list(kmmlu), COUNT)
    print(f"{COUNT} planted items\n{'edit':22} refused  right item  by rule")
    for name, edit in (EDITS | CUT).items():
        refused = firewall.refuse(edited(planted, edit))
        right = sum(known[r.sample].data["question"] == planted[r.item].data["question"] for r in refused.refusals)
        print(f"{name:22} {len(refused.refusals) / COUNT:7.3f} {right / COUNT:11.3f}  {dict(refused.by_rule)}")
    for name, samples in (("sample", _load("sample", None)), ("click", _load("click", folder / "click"))):
        refused = firewall.refuse([sample.data for sample in samples])
        print(f"{name}: {len(refused.refusals)} of {len(samples)} refused {dict(refused.by_rule)}")
        for refusal in refused.refusals:
            new, old = (
                " / ".join(text_of(d).split("\n"))[:90]
                for d in (samples[refusal.item].data, known[refusal.sample].data)
            )
            print(f"  {refusal.rule} {refusal.share:.2f}\n    {new}\n    {old}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
