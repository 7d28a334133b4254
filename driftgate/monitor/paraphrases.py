"""Questions in the words of a model: each asked for once, and kept with the run that first asked it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

from driftgate.benchmarks.datasets import Sample
from driftgate.flows.models import Message, Model, ModelError
from driftgate.flows.wording import agree_in_negation
from driftgate.ledger import Ledger, RunRow, ask_frame, cells_of, sample_data
from driftgate.monitor.otherwise import FORM, PARAPHRASE

_PROMPT = (
    "Say the following question in other words, in its own language. Keep its meaning, every number, name, unit and "
    "negation, and do not answer it. Reply with the question alone.\n\n{question}"
)
_NUMBER = re.compile(r"\d+")
_LONGER = 3.0
"""A paraphrase is at most so many times as long, and as short."""


def keeps_its_meaning(question: str, paraphrase: str) -> bool:
    """Whether a paraphrase is one, as far as rules can tell: other words, the same numbers, and no denial changed.

    Examples
    --------
    >>> keeps_its_meaning("다음 중 옳지 않은 것은?", "아래에서 옳지 않은 것을 고르시오.")
    True
    >>> keeps_its_meaning("다음 중 옳지 않은 것은?", "다음 중 옳은 것은?")
    False
    >>> keeps_its_meaning("3일 안에 신청할 수 있나?", "5일 안에 신청할 수 있나?")
    False
    """
    said = paraphrase.strip()
    if not said or " ".join(said.split()) == " ".join(question.split()):
        return False
    if not len(question) / _LONGER <= len(said) <= _LONGER * len(question):
        return False
    numbers = [sorted(_NUMBER.findall(text)) for text in (question, said)]
    return numbers[0] == numbers[1] and agree_in_negation(question, said)


def kept_paraphrases(ledger: Ledger, run: RunRow) -> dict[str, str]:
    """By key of the question, the paraphrases that a run asked and whose texts are still there."""
    found: dict[str, str] = {}
    for cell in cells_of(ledger, run.id):
        form = cell.details.get(FORM) or {}
        if form.get("name") == PARAPHRASE:
            ids = dict(zip(ask_frame(ledger, cell.id)["sample_id"], ask_frame(ledger, cell.id)["key"], strict=True))
            for sample, data in sample_data(ledger, list(ids)).items():
                if text := str((data or {}).get("question") or ""):
                    found[form["of"][ids[sample]][0]] = text
    return found


async def ask_for_paraphrases(
    model: Model, samples: Sequence[Sample], kept: Mapping[str, str], *, at_once: int = 8
) -> dict[str, str]:
    """By key, each question in other words: as it is kept, else as the model says it now.

    A reply that changes a number or a denial, or is no paraphrase at all, is left out; so is a call that fails, unless
    the model cannot be asked at all.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(sample: Sample) -> tuple[str, str]:
        question = str(sample.data.get("question") or "")
        if (text := kept.get(sample.key)) is not None or not question.strip():
            return sample.key, text or ""
        async with gate:
            try:
                reply = await model.complete([Message("user", _PROMPT.format(question=question))])
            except ModelError:
                return sample.key, ""
        said = (reply.text or "").strip()
        return sample.key, said if keeps_its_meaning(question, said) else ""

    return {key: text for key, text in await asyncio.gather(*map(one, samples)) if text}
