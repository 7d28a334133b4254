"""How well redaction does on our own test set: ``python -m benchmarks.perf.privacy_table``.

The set was written together with the rules, so its figures are kinder than those on a team's own texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from driftgate.finetune.privacy._redact import redact

NOTHING = "nothing"
_MARK = re.compile("«(.*?)»")


@dataclass(frozen=True)
class Case:
    """A text and what has to be found in it."""

    text: str
    expected: tuple[tuple[str, int, int], ...]
    """Kind, start and end of every value, in code points."""

    @property
    def found(self) -> tuple[tuple[str, int, int], ...]:
        """What is found in it."""
        return tuple((f.kind, f.start, f.end) for f in redact(self.text).findings)


@dataclass(frozen=True)
class Quality:
    """Counts of one kind; a value counts as found only with its exact borders."""

    found: int
    missed: int
    wrong: int

    @property
    def recall(self) -> float:
        """Share of the values that were found; NaN where there was none."""
        return self.found / (self.found + self.missed) if self.found + self.missed else float("nan")

    @property
    def precision(self) -> float:
        """Share of the findings that were right; NaN where there was none."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else float("nan")


def parse_case(kind: str, marked: str) -> Case:
    """Read a text whose values of one kind are marked.

    Examples
    --------
    >>> parse_case("PERSON", "«김민수»님")
    Case(text='김민수님', expected=(('PERSON', 0, 3),))
    """
    spans = [(m.start() - 2 * place, m.end() - 2 * place - 2) for place, m in enumerate(_MARK.finditer(marked))]
    return Case(_MARK.sub(r"\1", marked), tuple((kind, start, end) for start, end in spans))


def own_cases() -> list[Case]:
    """The test set that is shipped."""
    content: Mapping[str, Sequence[str]] = yaml.safe_load(
        Path(__file__).with_name("privacy_cases.yaml").read_text(encoding="utf-8")
    )
    return [parse_case(kind, text) for kind, texts in content.items() for text in texts]


def measure(cases: Sequence[Case]) -> Mapping[str, Quality]:
    """Count by kind what was found, missed and found wrongly."""
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case in cases:
        got = set(case.found)
        expected = set(case.expected)
        found.update(kind for kind, _, _ in expected & got)
        missed.update(kind for kind, _, _ in expected - got)
        wrong.update(kind for kind, _, _ in got - expected)
    return {kind: Quality(found[kind], missed[kind], wrong[kind]) for kind in sorted({*found, *missed, *wrong})}


def main() -> None:
    """Print the table."""
    cases = own_cases()
    table = measure(cases)
    positives = sum(len(case.expected) for case in cases)
    print(f"{positives} values in {len(cases)} texts, {sum(not case.expected for case in cases)} of them look-alikes")
    print(f"{'kind':20} found missed wrong recall precision")
    total = Quality(*(sum(getattr(q, name) for q in table.values()) for name in ("found", "missed", "wrong")))
    for kind, quality in [*table.items(), ("all", total)]:
        print(
            f"{kind:20} {quality.found:5} {quality.missed:6} {quality.wrong:5} "
            f"{quality.recall:6.3f} {quality.precision:9.3f}"
        )
    for case in cases:
        if set(case.found) != set(case.expected):
            print("  differs:", redact(case.text).text)


if __name__ == "__main__":
    main()
