"""How much planted personal data is found, and of how much ordinary text: ``python -m benchmarks.perf.pii_table``.

Recall: of 4,000 made-up sentences of ``pii_templates.yaml``, its held-out part unless ``--part tuning`` is given; a
value counts as found where every character of it is. ``--part sealed`` reads the sentences of ``pii_sealed.jsonl``,
which a hand wrote that saw nothing of the project; those without a value are the ordinary ones. ``--part first`` and
``--part second`` are halves of ``pii_development.txt``, which the weights of names were developed with.
Else ordinary sentences are the questions and choices of KMMLU
(``HAERAE-HUB/KMMLU``) and CLIcK (``rladmstn1714/CLIcK``), in ``../shared/data``, as far as they are there. The weights
of names have met KMMLU as ordinary text (``python -m benchmarks.perf.name_training`` prints each half told by the
other); nothing was learnt from CLIcK, whose stories and histories name people.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.perf.pii_text import Sentence, development, sealed, sentences, spans
from driftgate.finetune.privacy import redact

DATA = Path("../shared/data")
SENTENCES, SEED = 4_000, 20261127
ORDINARY = 20_000
WRITTEN = ("sealed", "first", "second")
_HANGUL = re.compile("[가-힣]")


def recall(part: str, count: int, seed: int) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], list[str]]:
    """Values planted and found by kind and form, and the sentences in which one was missed."""
    planted: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    missed = []
    for sentence in written(part) if part in WRITTEN else sentences(part, count, seed):
        findings = [(finding.start, finding.end) for finding in redact(sentence.text).findings]
        for value in sentence.planted:
            planted[value.kind, value.form] += 1
            if spans(findings, value):
                found[value.kind, value.form] += 1
            else:
                missed.append(f"{value.kind}: {sentence.text[value.start : value.end]} in: {sentence.text}")
    return planted, found, missed


def written(part: str) -> Iterator[Sentence]:
    """The sentences of a part that were written one by one."""
    return sealed() if part == "sealed" else development(part)


def ordinary(name: str) -> Iterator[str]:
    """The ordinary sentences of a dataset."""
    if name in WRITTEN:
        yield from (sentence.text for sentence in written(name) if not sentence.planted)
    elif name == "KMMLU":
        for file in sorted((DATA / "kmmlu/data").glob("*-test.csv")):
            with file.open(encoding="utf-8-sig") as held:
                for row in csv.DictReader(held):
                    yield from (
                        row[column] for column in ("question", "A", "B", "C", "D") if _HANGUL.search(row[column])
                    )
    else:
        for file in sorted((DATA / "click/Dataset").rglob("*.json")):
            for row in json.loads(file.read_text(encoding="utf-8")):
                texts = [row.get("paragraph") or "", row["question"], *row["choices"]]
                yield from (s for text in texts for s in re.split(r"(?<=[.?!])\s+|\n", text) if _HANGUL.search(s))


def touched(texts: Sequence[str]) -> tuple[Counter[str], list[str], float]:
    """Texts touched by kind (``all`` is any of them), what was found in them, and texts a second."""
    counts: Counter[str] = Counter()
    values = []
    begun = time.perf_counter()
    for text in texts:
        redacted = redact(text)
        if redacted.findings:
            counts.update({"all", *redacted.counts})
            values += [f"{f.kind}: {text[f.start : f.end]}" for f in redacted.findings]
    return counts, values, len(texts) / (time.perf_counter() - begun)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="held_out")
    parser.add_argument("--misses", type=int, default=0)
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    parser.add_argument("--ordinary", type=int, default=ORDINARY)
    asked = parser.parse_args()
    redact("")
    planted, found, missed = recall(asked.part, asked.sentences, SEED)
    print(f"{planted.total():,} values in sentences of the part {asked.part}\n")
    print("| kind | values | found | by the way it is written |\n|---|---|---|---|")
    for kind in [*sorted({kind for kind, _ in planted}), ""]:
        rows = {form: count for (own, form), count in planted.items() if own == kind or not kind}
        every = sum(count for (own, _), count in planted.items() if own == kind or not kind)
        hit = sum(count for (own, _), count in found.items() if own == kind or not kind)
        forms = [f"{form} {found[kind, form] / count:.1%}" for form, count in rows.items() if form and kind]
        print(f"| {kind or 'all'} | {every:,} | {hit / every:.1%} | {', '.join(forms) if len(forms) > 1 else ''} |")
    print()
    for line in random.Random(0).sample(missed, min(asked.misses, len(missed))):
        print("  missed", line)
    for name in (asked.part,) if asked.part in WRITTEN else ("KMMLU", "CLIcK"):
        texts = list(ordinary(name))
        if not texts:
            print(f"{name}: not there, not measured")
            continue
        texts = random.Random(SEED).sample(texts, min(asked.ordinary, len(texts)))
        counts, values, speed = touched(texts)
        told = ", ".join(f"{kind} {count / len(texts):.3%}" for kind, count in counts.most_common())
        print(f"{name}: {len(texts):,} ordinary sentences, touched {told or 'none'}; {speed:,.0f} texts a second")
        for line in random.Random(0).sample(values, min(asked.misses, len(values))):
            print("  touched", line)


if __name__ == "__main__":
    main()
