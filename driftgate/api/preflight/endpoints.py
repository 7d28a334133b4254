"""Every model that is used is asked once; what its deployment takes, whom it serves and when it ends is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from driftgate.api._waiting import wait_for
from driftgate.api.deployments import end_of, keep, remember
from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight.environment import unset
from driftgate.benchmarks.asking import serves
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import (
    CAPS,
    CHAT,
    PROVIDERS,
    RESPONSES,
    Capabilities,
    ChatModel,
    ContentFiltered,
    Message,
    ModelConfig,
    NoLogprobs,
    RateLimited,
    Reply,
    RequestRejected,
    Unavailable,
    cap_of,
    effort_of,
)
from driftgate.ledger import ends_soon

_WARNED_DAYS = 60
"""Services announce the end of a model at least so many days before."""
_PLAIN = (Message("user", "1 + 1 = ?"),)
"""What a model is asked that no suite asks."""


@dataclass(frozen=True)
class _Asked:
    """What became of the question to one model."""

    found: Reply | DriftgateError | None
    """The reply, or why there is none; None where nothing can be asked, which is said elsewhere."""
    known: Capabilities | None = None
    """What is known of its deployment by now; None of one that is not asked over HTTP."""
    refusals: int = 0
    """Requests that its service refused, and by which something was learnt."""
    ends: date | None = None


def look(inspection: Inspection) -> Iterator[Finding]:
    """Ask them at the same time, each what its first sample would ask. No reply is kept, and none is a sample's.

    Where the whole workspace is looked at, it is learnt anew what a deployment takes. A run begins with what is known.
    """
    if not inspection.scope.probes:
        return
    asked = {
        name: config
        for name, config in inspection.models.items()
        if PROVIDERS.get(config.provider).probe is not None and not unset(inspection, "models", name)
    }
    prompts = _prompts(inspection)
    for name, heard in zip(asked, wait_for(_ask_all(inspection, asked, prompts)), strict=True):
        yield _said(inspection, name, asked[name], heard.found)
        subject, where = f"model {name}", inspection.where("models", name)
        if heard.known is not None and (told := _learnt(asked[name], heard.known, heard.refusals)):
            yield Finding("good", subject, told, "", where)
        if days := [day for day in (heard.ends, asked[name].retires) if day is not None]:
            yield _ending(subject, min(days), where)


def _prompts(inspection: Inspection) -> Mapping[str, Sequence[Message]]:
    """What each model is asked first, as far as a trial has heard it."""
    found: dict[str, Sequence[Message]] = {}
    for asking in inspection.askings:
        heard = next((trial.heard[0] for trial in inspection.trials(asking) if trial.heard), None)
        for name in asking.suite.models if heard else ():
            found.setdefault(name, heard or _PLAIN)
    return found


async def _ask_all(
    inspection: Inspection, asked: Mapping[str, ModelConfig], prompts: Mapping[str, Sequence[Message]]
) -> list[_Asked]:
    return await asyncio.gather(
        *(_ask(inspection, name, config, prompts.get(name, _PLAIN)) for name, config in asked.items())
    )


async def _ask(inspection: Inspection, name: str, config: ModelConfig, messages: Sequence[Message]) -> _Asked:
    provider = PROVIDERS.get(config.provider)
    assert provider.probe is not None
    try:
        await asyncio.to_thread(provider.check, name, config, inspection.workspace.folder)
        model = provider.open(name, config, inspection.workspace.folder)
    except DriftgateError as problem:
        return _Asked(None if inspection.scope.reaches else problem)
    anew, ledger = inspection.scope.whole, inspection.ledger
    if ledger is not None and not anew:
        await asyncio.to_thread(remember, ledger, model)
    found: Reply | DriftgateError
    try:
        async with asyncio.timeout(config.timeout):
            found = await provider.probe(model, messages)
    except TimeoutError:
        found = Unavailable(f"{name}: no reply within {config.timeout:g} s")
    except DriftgateError as problem:
        found = problem
    finally:
        await model.aclose()
    served = found.model if isinstance(found, Reply) else ""
    ends = await end_of(name, config, served)
    if not isinstance(model, ChatModel):
        return _Asked(found, ends=ends)
    known = model.capabilities
    if ledger is not None and (known.taken or known.refused or ends is not None):
        await asyncio.to_thread(keep, ledger, model, served=served, ends=ends, anew=anew and bool(known.taken))
    return _Asked(found, known, model.refusals, ends)


def _said(inspection: Inspection, name: str, config: ModelConfig, found: Reply | DriftgateError | None) -> Finding:
    subject, where = f"model {name}", inspection.where("models", name)
    if found is None:
        return Finding("unchecked", subject, "not asked, as it cannot be reached", "", where)
    if isinstance(found, Reply):
        return _unfit(subject, config, found, where) or _served(
            subject, config, found, inspection.where("models", name, "model")
        )
    if isinstance(found, ContentFiltered):
        return Finding("good", subject, f"it answers, and filtered the question that it was asked ({found.message})")
    if isinstance(found, RateLimited):
        said = f"it answers, and asks for fewer requests now ({found.message})"
        return Finding("warning", subject, said, "a run waits and tries again", where)
    if isinstance(found, NoLogprobs):
        return _no_logprobs(subject, where)
    if isinstance(found, RequestRejected):
        said = f"it refused the one question that it was asked: {found.message}"
        return Finding("warning", subject, said, "see that it takes what its suites ask", where)
    if isinstance(found, Unavailable):
        return Finding(
            "error", subject, found.message, found.remedy or "start the service or correct its endpoint", where
        )
    return of_problem(subject, found, where)


def _unfit(subject: str, config: ModelConfig, reply: Reply, where: str) -> Finding | None:
    """A reply in which no answer could ever be read."""
    if config.scoring == "logprobs":
        if reply.first_token is None:
            return _no_logprobs(subject, where)
    elif reply.finish_reason == "length" and not reply.text.strip():
        found = "its reply was cut at the limit of tokens before it said anything"
        if reply.usage.reasoning_tokens:
            found = f"reasoning used up its limit of tokens ({reply.usage.reasoning_tokens:,}) before it said anything"
        cap = cap_of(config.parameters)[0]
        lower = "" if effort_of(config.parameters) in ("none", "minimal") else " or lower reasoning_effort"
        raise_it = f"raise {cap} in its parameters{lower}" if cap else "raise the limit of its service"
        return Finding("warning", subject, f"{found}: its samples would be truncated", raise_it, where)
    elif not reply.text.strip():
        return Finding("warning", subject, "its reply is empty: no answer could be read", "ask it by hand", where)
    return None


def _learnt(config: ModelConfig, known: Capabilities, refusals: int) -> str:
    """What of ours the service refused and how the model is asked instead, in words; empty where it refused nothing."""
    stated = config.parameters.keys() - config.ours
    told = []
    if known.wire == RESPONSES and CHAT in known.refused:
        told.append(f"it is asked by the Responses API ({known.refused[CHAT]})")
    for name, words in known.refused.items():
        if name in CAPS and known.cap:
            told.append(f"its limit on tokens is sent as '{known.cap}', not '{name}' ({words})")
        elif name != CHAT and name not in stated:
            told.append(f"it refuses the default '{name}', without which it is asked ({words})")
    if told and refusals:
        told.append(f"learnt by {refusals} refused request{'s' * (refusals != 1)}, which a run need not make")
    return "; ".join(told)


def _ending(subject: str, day: date, where: str) -> Finding:
    left = (day - datetime.now(UTC).date()).days
    if left < 0:  # that it does not answer any more is said by itself
        return Finding("warning", subject, ends_soon(day), "take a model that is served from now on", where)
    if left <= _WARNED_DAYS:
        return Finding(
            "warning", subject, ends_soon(day), "plan its successor: compare it and prove it by a gate", where
        )
    return Finding("good", subject, ends_soon(day), "", where)


def _no_logprobs(subject: str, where: str) -> Finding:
    found = "its scoring is logprobs, and its reply holds no log-probabilities: no answer could be read"
    return Finding("error", subject, found, "set scoring: text, or ask a service that gives them", where)


def _served(subject: str, config: ModelConfig, reply: Reply, where: str) -> Finding:
    wanted = PROVIDERS.get(config.provider).asked_for(config)
    told = f"it answers in {reply.latency:.2g} s" + (f" and says it serves {reply.model}" if reply.model else "")
    if not wanted or not reply.model or serves(wanted, reply.model):
        return Finding("good", subject, told)
    found = f"it is asked for '{wanted}' and says it serves '{reply.model}': scores would be of another model"
    return Finding(
        "warning", subject, found, "correct its model, or see that the service means the same by both", where
    )


CHECK = Check(look)
