"""A language model of the workspace writes the items, as JSON under a schema.

Every reply is checked against the schema here, whether or not the service enforces it, and against its source by the
filters; small models write valid JSON that is not grounded.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftgate.finetune.synthesis._asking import Reject, prompt_hash, refuses
from driftgate.finetune.synthesis._choices import posed
from driftgate.finetune.synthesis._config import (
    ExamplesSource,
    Form,
    Persona,
    PromptsSource,
    QuestionsSource,
    TemplatesSource,
)
from driftgate.finetune.synthesis._drawing import draw
from driftgate.finetune.synthesis._materials import label_names
from driftgate.finetune.synthesis._sending import all_of
from driftgate.finetune.synthesis._values import Candidate, Generated, Generator, Material, Request
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, Model, ModelConfig, cap_of
from driftgate.flows.refusals import refuses_by_rules

VERSION = "2"
_ASKS = re.compile(r"(?:[습합입됩갑줍봅옵십립랍답]니까|[할될일을볼]까|까요|나요|가요|[는은인]가|[는인]지요?)[.\s]*$")
"""How a Korean question ends that has no mark."""
_TOKENS = 512
"""Enough for an item."""


class WrittenItem(BaseModel):
    """What the model has to answer with; for labels, ``answer`` repeats the label and ``wrong`` is empty."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    wrong: list[str] = Field(max_length=9)


def with_schema(config: ModelConfig) -> ModelConfig:
    """The configuration that the model of the ``model`` generator is opened from: it asks for the JSON schema.

    A service that takes no schema is asked without it, with more malformed replies. A limit on tokens that is too low
    for an item, such as one for letters, is raised.
    """
    schema = WrittenItem.model_json_schema()
    if config.provider == "local":  # llama.cpp takes the schema itself on both of its endpoints
        asked: dict[str, Any] = {"json_schema": schema}
    else:
        named = {"name": "written_item", "schema": schema, "strict": True}
        asked = {"response_format": {"type": "json_schema", "json_schema": named}}
    name, limit = cap_of(config.parameters)
    raised = {name: _TOKENS} if isinstance(limit, int) and limit < _TOKENS else {}
    wanted = {name: value for name, value in asked.items() if name not in config.parameters}
    return config.with_ours(**wanted, **raised)


async def generate(request: Request) -> Generated:
    """Ask for one item after the other over slices and labels in turn; what is no item is counted as malformed.

    Raises
    ------
    DriftgateError
        There is no model, or it is misconfigured or unavailable.
    """
    model = request.model
    if model is None:
        raise DriftgateError("the generator 'model' has no model", "name a workspace model in the synthesis' 'model'")
    if isinstance(request.source, QuestionsSource | PromptsSource):
        raise DriftgateError(
            f"the generator 'model' cannot use {request.source.kind}", "give it documents, examples or templates"
        )
    chance = random.Random(request.seed)
    chosen = draw(request, chance, again=True)
    # Every random choice is made before the first call, so that the order of replies decides nothing.
    plans: list[tuple[Material, Persona, int, float]] = []
    asked: Counter[tuple[int, str]] = Counter()
    for place in chosen:
        persona = chance.choice(request.personas)
        plans.append((request.materials[place], persona, asked[place, persona.name], chance.random()))
        asked[place, persona.name] += 1
    written = await all_of(
        (
            _write(request, model, material, persona, again, random.Random(seed))
            for material, persona, again, seed in plans
        )
    )
    return Generated(
        tuple(item for item in written if isinstance(item, Candidate)),
        tuple(item for item in written if isinstance(item, Reject)),
    )


async def _write(
    request: Request, model: Model, material: Material, persona: Persona, again: int, chance: random.Random
) -> Candidate | Reject:
    source = request.source
    labelled = isinstance(source, ExamplesSource | TemplatesSource)
    messages = _ask(material, persona, labelled, request.form, again)
    text = await request.asker.ask(model, messages)
    if isinstance(text, Reject):
        return replace(text, source=material.id, cluster=material.cluster)

    def off(kind: str, reason: str) -> Reject:
        return Reject("reply", kind, reason, text, material.id, material.cluster)

    try:
        start = text.find("{")
        value, _ = json.JSONDecoder().raw_decode(text[start:] if start >= 0 else text)
        item = WrittenItem.model_validate(value)
    except ValidationError as problem:
        return off("broken_json", f"the reply does not fit the schema: {problem.errors()[0]['msg']}")
    except (ValueError, RecursionError) as problem:  # also of a number of thousands of digits
        if refuses(text):
            return off("refusal", "the model declines")
        return off("broken_json", f"the reply is not JSON: {getattr(problem, 'msg', None) or problem}")
    if _declines(item, material):
        return off("refusal", "the model declines within the JSON")
    wrong: Sequence[str] = item.wrong
    if isinstance(source, ExamplesSource | TemplatesSource):
        right, question, passage = material.label, source.question.replace("{text}", item.question), source.passage
        if item.answer != right:
            return off("off_task", f"the reply is about '{item.answer}', asked for was '{right}'")
        wrong = [label for label in label_names(source, list(request.materials)) if label != right]
    else:
        right, question, passage = item.answer, item.question, source.passage or material.text
    if request.form == "choices" and not 1 <= len(wrong) <= 9:
        return off("off_task", f"the reply has {len(wrong)} wrong answers, 1 to 9 are needed")
    choices, answer = posed(request.form, right.strip(), wrong, chance)
    return Candidate(
        question,
        choices,
        answer,
        material.slice,
        material.label or "written",
        persona.name,
        item.question,
        material.id,
        material.content_hash,
        "model",
        VERSION,
        request.seed,
        passage,
        wrong=wrong[0] if wrong and request.form == "text" else "",
        model=model.name,
        prompt_hash=prompt_hash(messages),
    )


def _declines(item: WrittenItem, material: Material) -> bool:
    """Whether a part of an item is no such part but declines.

    The trained reader knows whole replies. Words of the material, and questions, are none: of them the rules decide.
    """
    own = " ".join(item.answer.split()) in " ".join(f"{material.text} {material.label}".split())
    if refuses_by_rules(item.answer) or (not own and refuses(item.answer)):
        return True
    if item.question.rstrip().endswith("?"):
        return False
    return refuses_by_rules(item.question) or (not _ASKS.search(item.question) and refuses(item.question))


def _ask(material: Material, persona: Persona, labelled: bool, form: Form, again: int) -> list[Message]:
    shape = '{"question": "...", "answer": "...", "wrong": ["...", "...", "..."]}'
    if labelled:
        task = (
            "예문과 같은 뜻으로 다르게 말한 고객 문의를 하나 쓰시오. question에 문의를, answer에 분류를 그대로 쓰고 "
            "wrong은 빈 목록으로 두시오."
        )
        body = f"예문: {material.text}\n분류: {material.label}"
    elif form == "text":
        task = (
            "지문만 읽고 답할 수 있는 질문을 하나 만드시오. answer에는 지문에 근거한 짧은 답을 문장으로 쓰고, "
            "wrong에는 그럴듯하지만 틀린 답 하나를 쓰시오."
        )
        body = f"지문: {material.text}"
    else:
        task = (
            "지문만 읽고 답할 수 있는 선다형 문제를 하나 만드시오. answer는 지문에 있는 말을 그대로 옮기고, "
            "wrong에는 틀린 답 세 개를 쓰시오."
        )
        body = f"지문: {material.text}"
    style = f"글쓴이: {persona.describe or persona.name}"
    other = f"\n{again + 1}번째 요청이다. 앞의 것들과 다른 내용을 물으시오." if again else ""
    return [Message("system", f"{task} JSON으로만 답하시오: {shape}"), Message("user", f"{body}\n{style}{other}")]


GENERATOR = Generator(VERSION, generate)
