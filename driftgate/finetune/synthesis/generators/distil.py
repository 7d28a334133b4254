"""A teacher answers prompts in words: what a smaller model is to learn (Hinton et al. 2015, by samples and not logits).

Prompts are production's or a team's own; personal data was taken out when they were read.
"""

from __future__ import annotations

import random
from dataclasses import replace

from driftgate.finetune.synthesis._asking import Reject, prompt_hash, refuses
from driftgate.finetune.synthesis._config import PromptsSource
from driftgate.finetune.synthesis._drawing import draw
from driftgate.finetune.synthesis._sending import all_of
from driftgate.finetune.synthesis._values import Candidate, Generated, Generator, Material, Request
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, Model

VERSION = "1"


async def generate(request: Request) -> Generated:
    """One answer to each prompt, slices in turn and by the shares of the clusters.

    Raises
    ------
    DriftgateError
        The source is no prompts, there is no model, or it is misconfigured or unavailable.
    """
    source, model = request.source, request.model
    if not isinstance(source, PromptsSource):
        raise DriftgateError(f"the generator 'distil' cannot use {source.kind}", "give it prompts")
    if model is None:
        raise DriftgateError("the generator 'distil' has no model", "name a workspace model in the synthesis' 'model'")
    chosen = draw(request, random.Random(request.seed), again=False)
    answered = await all_of(_answer(request, source, model, request.materials[p]) for p in chosen)
    return Generated(
        tuple(item for item in answered if isinstance(item, Candidate)),
        tuple(item for item in answered if isinstance(item, Reject)),
    )


async def _answer(request: Request, source: PromptsSource, model: Model, material: Material) -> Candidate | Reject:
    messages = [Message("system", source.system)] if source.system else []
    for user, said in material.turns:
        messages += [Message("user", user), Message("assistant", said)]
    asked = f"{material.passage}\n\n{material.text}" if material.passage else material.text
    messages.append(Message("user", asked))
    text = await request.asker.ask(model, messages)
    if isinstance(text, Reject):
        return replace(text, source=material.id, cluster=material.cluster)
    if refuses(text):
        return Reject("reply", "refusal", "the teacher declines", text, material.id, material.cluster)
    return Candidate(
        material.text,
        (),
        text,
        material.slice,
        "answered",
        "as_written",
        f"{material.text}\n{text}",
        material.id,
        material.content_hash,
        "distil",
        VERSION,
        request.seed,
        material.passage,
        material.turns,
        model=model.name,
        prompt_hash=prompt_hash(messages),
    )


GENERATOR = Generator(VERSION, generate)
