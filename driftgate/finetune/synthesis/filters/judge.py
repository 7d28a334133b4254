"""Does another model give the same answer from the same passage?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from driftgate.finetune.synthesis._asking import Asker, Reject
from driftgate.finetune.synthesis._sending import all_of
from driftgate.finetune.synthesis._values import Candidate, Filter, Setting
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS
from driftgate.flows.models import Message, Model

_LETTER = re.compile(rf"(?<![A-Za-z])[{LETTERS}](?![A-Za-z])")
_IN_WORDS = "답이 질문에 맞고 지문이 있으면 지문에 근거하는지 보고, 맞으면 '예', 아니면 '아니요'만 쓰시오."
_YES = re.compile(r"\W*(?:예|네|yes)(?![가-힣A-Za-z])", re.IGNORECASE)


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
    return list(await all_of(_disagrees(judge, candidate, setting.asker) for candidate in candidates))


async def _disagrees(judge: Model, candidate: Candidate, asker: Asker) -> str:
    lines = [f"지문: {candidate.passage}"] if candidate.passage else []
    lines += [f"질문: {candidate.question}"]
    if candidate.choices:
        lines += [f"{letter}. {choice}" for letter, choice in zip(LETTERS, candidate.choices, strict=False)]
        asked = [
            Message("system", "알맞은 답의 기호만 한 글자로 쓰시오."),
            Message("user", "\n".join([*lines, "정답:"])),
        ]
    else:
        lines += [f"답: {candidate.answer}", "판정:"]
        asked = [Message("system", _IN_WORDS), Message("user", "\n".join(lines))]
    reply = await asker.ask(judge, asked)
    if isinstance(reply, Reject):
        return f"the judge gave no answer: {reply.reason}"
    said = json.dumps(reply[:40], ensure_ascii=False)
    if not candidate.choices:
        return "" if _YES.match(reply) else f"the judge says {said}, not that the answer is right"
    if set(_LETTER.findall(reply)) == {candidate.answer}:
        return ""
    return f"the judge answers {said}, the item says {candidate.answer}"


FILTER = Filter("2", check)
