"""Does another model give the same answer from the same passage?"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

from driftgate.finetune.synthesis._values import Candidate, Filter, Setting
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS
from driftgate.flows.models import ContentFiltered, Message, Model, RequestRejected

_IN_FLIGHT = 16
_LETTER = re.compile(rf"(?<![A-Za-z])[{LETTERS}](?![A-Za-z])")


async def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Ask the judge every question and compare its letter.

    Raises
    ------
    DriftgateError
        There is no judge, or it is misconfigured or unavailable.
    """
    judge = setting.judge
    if judge is None:
        raise DriftgateError("the filter 'judge' has no model", "name a workspace model in the synthesis' 'judge'")
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def one(candidate: Candidate) -> str:
        async with gate:
            return await _disagrees(judge, candidate)

    return list(await asyncio.gather(*map(one, candidates)))


async def _disagrees(judge: Model, candidate: Candidate) -> str:
    lines = [f"지문: {candidate.passage}"] if candidate.passage else []
    lines += [f"질문: {candidate.question}"]
    lines += [f"{letter}. {choice}" for letter, choice in zip(LETTERS, candidate.choices, strict=False)]
    asked = [Message("system", "알맞은 답의 기호만 한 글자로 쓰시오."), Message("user", "\n".join([*lines, "정답:"]))]
    try:
        reply = await judge.complete(asked)
    except (ContentFiltered, RequestRejected) as problem:
        return f"the judge gave no answer: {problem.message}"
    letters = set(_LETTER.findall(reply.text))
    if letters == {candidate.answer}:
        return ""
    return f"the judge answers {json.dumps(reply.text[:40], ensure_ascii=False)}, the item says {candidate.answer}"


FILTER = Filter("1", check)
