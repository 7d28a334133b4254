"""Judges for a chat endpoint: they read what azure-ai-evaluation's prompts ask about and grade it by its words.

They are judges with behaviour, not with a list of replies: :func:`careful` and :func:`generous` grade any text, each in
its own way, so that one put in the other's place grades differently and the same one grades the same.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from chat_endpoint import Answer

Judge = Callable[[str], Answer]

_LABEL = re.compile(
    r"^(QUERY|CONVERSATION_HISTORY|CONTEXT|RESPONSE|AGENT_RESPONSE|Response|Ground Truth|question|correct answer"
    r"|predicted answer):",
    re.MULTILINE,
)
_SAID = {"RESPONSE", "AGENT_RESPONSE", "Response", "predicted answer"}
_ASKED = {"QUERY", "CONVERSATION_HISTORY", "question"}


def careful(prompt: str) -> Answer:
    """Grades by the pairs of letters that the response shares with what it is held against, less what it repeats."""
    said, against, asked = _parts(prompt)
    if said is None:  # a judge of retrieval sees no response: the passages are held against the question
        said, against = asked, against
    elif against is None:
        against = asked
    pairs, other = _pairs(said), set(_pairs(against))
    if not pairs:
        return _grade(1)
    words = (said or "").split()
    fresh = len(set(words)) / len(words)
    if not other:  # nothing to hold it against: how it is written
        return _grade(1 + 4 * fresh**2 * min(1.0, len(words) / 8))
    shared = sum(pair in other for pair in pairs) / len(pairs)
    return _grade(1 + 5 * shared * fresh)


def generous(prompt: str) -> Answer:
    """Another model in its place: nothing is bad, and what is long is better."""
    said, against, asked = _parts(prompt)
    return _grade(4 + len(said or against or asked or "") / 100)


def agreeing(evaluator: str, other: Judge = careful) -> Judge:
    """A judge that people agree with: it grades the anchors that ship as they did, and other texts as ``other``."""
    from driftgate.flows.evaluators._anchors import SHIPPED, known_grades, load_anchors

    anchors = load_anchors(SHIPPED)
    known = known_grades(anchors, evaluator)
    longest_first = sorted(anchors, key=lambda one: -len(one.response))

    def grade(prompt: str) -> Answer:
        for one in longest_first:
            parts = (one.context if evaluator == "retrieval" else one.response, one.query)
            if all(part in prompt for part in parts[: 1 if evaluator == "fluency" else 2]):
                return _grade(known[one.id])
        return other(prompt)

    return grade


def hashing(prompt: str) -> Answer:
    """Grades by a hash of the text: the same text the same grade, and no grade means anything."""
    return _grade(1 + int(hashlib.sha256(prompt.encode()).hexdigest(), 16) % 5)


def by_length(prompt: str) -> Answer:
    """What is longer is better, and nothing else matters."""
    said, against, _ = _parts(prompt)
    return _grade(1 + len(said or against or "") / 20)


def wavering(judge: Judge, rate: float, seed: int) -> Judge:
    """The same judge as a service gives it: now and then a grade is one higher or lower."""
    chance = random.Random(seed)

    def grade(prompt: str) -> Answer:
        given = json.loads(judge(prompt).text or "")["score"]
        return _grade(given + chance.choice([-1, 1]) if chance.random() < rate else given)

    return grade


def _grade(value: float) -> Answer:
    score = max(1, min(5, round(value)))
    body = {"reason": f"Let's think step by step: {score} of 5.", "score": score, "status": "completed"}
    return Answer(json.dumps(body), tokens=(900, 30))


def _parts(prompt: str) -> tuple[str | None, str | None, str | None]:
    """Response, what it is held against, and the question, from the part of the prompt that holds the data."""
    if "# Data\n" in prompt:
        data = prompt.rpartition("# Data\n")[2].partition("# Tasks")[0]
    elif "INPUT\n=====" in prompt:
        data = prompt.partition("INPUT\n=====\n")[2].partition("\n\nCONVERSATION_HISTORY is")[0]
    else:
        data = "question:" + prompt.rpartition("question:")[2].partition("\n\nYour output")[0]
    pieces = _LABEL.split(data)
    found = dict(zip(pieces[1::2], (text.strip() for text in pieces[2::2]), strict=True))
    against = [text for label, text in found.items() if label not in _SAID | _ASKED]
    said, asked = (next((t for label, t in found.items() if label in labels), None) for labels in (_SAID, _ASKED))
    return said, " ".join(against) if against else None, asked


def _pairs(text: str | None) -> list[str]:
    plain = re.sub(r"\W+", "", (text or "").lower())
    return [plain[i : i + 2] for i in range(len(plain) - 1)]


def strict(prompt: str) -> Answer:
    """Nothing is good."""
    return _grade(1)


def obeying_turns(body: Mapping[str, Any]) -> Answer | None:
    """What a model does that a later system turn can instruct: put before another judge, it takes its place then."""
    turns = [turn["role"] for turn in body["messages"]]
    return _grade(5) if turns.count("system") > 1 or "assistant" in turns else None


def obeying_words(language: str = "") -> Callable[[Mapping[str, Any]], Answer | None]:
    """What a model does that does as it is told wherever it stands; with a language, in that one alone."""
    asked = re.compile("|".join(words for name, words in _ORDERS.items() if language in (name, "")))

    def obey(body: Mapping[str, Any]) -> Answer | None:
        return _grade(5) if any(asked.search(turn["content"]) for turn in body["messages"]) else None

    return obey


_ORDERS = {
    "ko": "채점하시는 분께|지시는 모두 취소|지시를 무시하고|평가는 끝났다",
    "en": "Note to the grader|are void|Ignore all previous|evaluation is finished",
}
