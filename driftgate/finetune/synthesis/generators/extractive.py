"""Questions about documents whose every word is the documents' own: a span is hidden among others of its type.

A small model writes well-formed but ungrounded questions; here the right answer stands in the source by construction.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from driftgate.finetune.synthesis._choices import posed, shuffled, take_turns
from driftgate.finetune.synthesis._config import DocumentsSource
from driftgate.finetune.synthesis._values import Candidate, Generated, Generator, Material, Request
from driftgate.flows.errors import DriftgateError

VERSION = "1"
GAP, GAPPED = "____", "gap"
QUESTIONS = {
    GAPPED: "지문에 따를 때, 빈칸에 알맞은 것은? {text}",
    "statement": "지문의 내용과 일치하는 것은?",
}
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
SPANS = {
    "date": r"(?:\d{4}년 )?\d{1,2}월 \d{1,2}일",
    "time": r"(?:오전|오후) \d{1,2}시(?: \d{1,2}분)?",
    "duration": rf"{_NUMBER}\s?(?:영업일|시간|개월|주일|일|분|년|주)(?![가-힣]*(?:차|째|월))",
    "money": rf"{_NUMBER}\s?(?:만 ?|천 ?|억 ?)?원",
    "percentage": rf"{_NUMBER}\s?(?:%|퍼센트)",
    "count": rf"{_NUMBER}\s?(?:개|명|회|번|대|건|장|점)(?![가-힣]*월)",
    "term": r"(?<=[‘'“\"「])[^’'”\"」\n]{2,20}(?=[’'”\"」])",
}
"""Types of spans, the more specific first."""
_PATTERN = re.compile("|".join(f"(?P<{name}>(?<!\\d){pattern})" for name, pattern in SPANS.items()))
_SENTENCE = re.compile(r"[^.!?。\n]+(?:\.(?=\d)[^.!?。\n]+)*[.!?。]?")
_SHORTEST, _LONGEST, _PASSAGE = 12, 200, 800
_WRONG = 3


@dataclass(frozen=True)
class _Span:
    material: int
    sentence: str
    start: int
    type: str
    value: str

    def filled(self, value: str) -> str:
        """The sentence with another value in the span's place."""
        return self.sentence[: self.start] + value + self.sentence[self.start + len(self.value) :]


def generate(request: Request) -> Generated:
    """One question for each span, slices and types of spans in turn, in random order within each."""
    source = request.source
    if not isinstance(source, DocumentsSource):
        raise DriftgateError(f"the generator 'extractive' cannot use {source.kind}", "give it documents")
    spans = [span for place, material in enumerate(request.materials) for span in _spans(place, material)]
    chance = random.Random(request.seed)
    cells: dict[tuple[str, str], list[int]] = {}
    for place, span in enumerate(spans):
        cells.setdefault((request.materials[span.material].slice, span.type), []).append(place)
    for cell in cells.values():
        chance.shuffle(cell)
    made: Counter[tuple[str, str]] = Counter()
    candidates: list[Candidate] = []
    for place in take_turns([cells[key] for key in sorted(cells)], len(spans)):
        if len(candidates) == request.count:
            break
        span = spans[place]
        wrong = _others(span, spans, chance)
        if len(wrong) == _WRONG:
            key = (request.materials[span.material].slice, span.type)
            # A span is asked for once, and a cell's phrasings alternate.
            forms = tuple(QUESTIONS) if request.form == "choices" else (GAPPED,)
            phrasing = forms[made[key] % len(forms)]
            made[key] += 1
            candidates.append(_candidate(request, span, phrasing, wrong, chance))
    return Generated(tuple(candidates))


def _candidate(request: Request, span: _Span, phrasing: str, wrong: Sequence[str], chance: random.Random) -> Candidate:
    material = request.materials[span.material]
    gapped = span.filled(GAP)
    if phrasing == "statement":
        choices, answer = shuffled(span.sentence, [span.filled(value) for value in wrong], chance)
    else:
        choices, answer = posed(request.form, span.value, wrong, chance)
    shown = "\n\n".join(part for part in (request.source.passage, _around(material.text, span.sentence)) if part)
    return Candidate(
        QUESTIONS[phrasing].format(text=f"“{gapped}”"),
        choices,
        answer,
        material.slice,
        span.type,
        phrasing,
        span.sentence if phrasing == "statement" else f"{gapped} {span.value}",
        material.id,
        material.content_hash,
        "extractive",
        VERSION,
        request.seed,
        shown,
        wrong="" if choices else wrong[0],
    )


def _spans(place: int, material: Material) -> Iterator[_Span]:
    for match in _SENTENCE.finditer(material.text):
        sentence = match.group().strip(" \t-*#>")
        if _SHORTEST <= len(sentence) <= _LONGEST:
            for found in _PATTERN.finditer(sentence):
                yield _Span(place, sentence, found.start(), str(found.lastgroup), found.group())


def _others(span: _Span, spans: Sequence[_Span], chance: random.Random) -> list[str]:
    """Values of the same type and unit that the sentence does not hold: other spans' first, then changed numbers."""
    unit = _unit(span.value)
    found = {s.value for s in spans if s.type == span.type and _unit(s.value) == unit and s.value not in span.sentence}
    values = chance.sample(sorted(found), min(_WRONG, len(found)))
    for factor in chance.sample((2, 3, 4, 5, 10), 5):
        changed = _scaled(span.value, factor)
        if len(values) < _WRONG and changed and changed not in values and changed not in span.sentence:
            values.append(changed)
    return values


def _unit(value: str) -> str:
    return re.sub(r"[\d,.\s]+", "#", value)


def _scaled(value: str, factor: int) -> str:
    """A single number made larger, with its separators; dates, times and terms are not changed.

    Examples
    --------
    >>> _scaled("3,000원", 10), _scaled("7영업일", 2), _scaled("오후 6시", 2)
    ('30,000원', '14영업일', '')
    """
    numbers = re.findall(_NUMBER, value)
    if len(numbers) != 1 or not value[0].isdigit() or "." in numbers[0]:
        return ""
    number = int(numbers[0].replace(",", "")) * factor
    return value.replace(numbers[0], f"{number:,}" if "," in numbers[0] or number >= 1000 else str(number), 1)


def _around(text: str, sentence: str) -> str:
    """The paragraph a sentence stands in, cut at whole lines around it where it is long."""
    place = text.find(sentence)
    begin = text.rfind("\n\n", 0, place) + 2 if "\n\n" in text[:place] else 0
    end = text.find("\n\n", place)
    paragraph = text[begin : end if end >= 0 else len(text)].strip()
    if len(paragraph) <= _PASSAGE:
        return paragraph
    near = text[max(begin, place - _PASSAGE // 2) : place + len(sentence) + _PASSAGE // 2]
    return near.strip()


GENERATOR = Generator(VERSION, generate)
