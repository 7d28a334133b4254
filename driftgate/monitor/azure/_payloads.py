"""What the outbox holds: one model a kind, told apart by ``kind``."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter

_LONGEST = 128
_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|(?=[0-9a-f]*\d)[0-9a-f]{12,}|\d{9,}", re.IGNORECASE)


def bounded(value: str) -> str:
    """Refuse a metric dimension that looks like an identifier: each new value would be a new time series, for ever.

    Examples
    --------
    >>> bounded("gpt-oss-20b")
    'gpt-oss-20b'
    >>> bounded("chatcmpl-0f8fad5bd9cb469fa165")
    Traceback (most recent call last):
    ...
    ValueError: 'chatcmpl-0f8fad5bd9cb469fa165' looks like an identifier; a metric's dimensions are names
    """
    if len(value) > _LONGEST:
        raise ValueError(f"a metric's dimension has {len(value)} characters; expected at most {_LONGEST}")
    if _IDENTIFIER.search(value):
        raise ValueError(f"'{value}' looks like an identifier; a metric's dimensions are names")
    return value


Dimension = Annotated[str, AfterValidator(bounded)]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignalValue(_Payload):
    """The level of a drift signal in one period: a metric."""

    kind: Literal["signal"] = "signal"
    at: AwareDatetime
    """End of the period. With signal, model and slice it names the value: metrics carry no key."""
    signal: Dimension = Field(pattern=r"^[a-z][a-z0-9_]*$")
    model: str = Field(min_length=1, max_length=_LONGEST)
    """Its name in the workspace, of which there are few, whatever it looks like."""
    slice: Dimension = "all"
    unit: Dimension = ""
    value: FiniteFloat


class AlertEvent(_Payload):
    """A drift alert: the custom event ``driftgate.alert``."""

    kind: Literal["alert"] = "alert"
    at: AwareDatetime
    alert: str
    """Key of the alert in the ledger."""
    look: str = ""
    """Key of the look that raised it,"""
    monitor: str = ""
    """its monitor,"""
    of: str = ""
    """and what that looked at."""
    model: str
    signal: str
    moved: str
    """``fell``, ``rose`` or ``changed``."""
    slices: tuple[str, ...] = ()
    """Empty for everywhere."""
    cause: str
    detector: str
    p_value: FiniteFloat | None = None
    effect: FiniteFloat
    effect_low: FiniteFloat | None = None
    effect_high: FiniteFloat | None = None
    effect_unit: str = ""
    floor: FiniteFloat
    summary: str
    report: str = ""
    """Address of the report, where there is one."""


class LookEvent(_Payload):
    """What a look came to: the custom event ``driftgate.look``."""

    kind: Literal["look"] = "look"
    at: AwareDatetime
    look: str
    """Key of the look in the ledger."""
    monitor: str
    of: Literal["canaries", "traffic", "prompts", "answers"]
    model: str
    result: str
    """``reference``, ``quiet``, ``inconclusive``, ``unmeasurable`` or ``moved``."""
    reason: str = ""
    remedy: str = ""


class FindingEvent(_Payload):
    """A signal in one look, with the band in which it may lie: the custom event ``driftgate.finding``."""

    kind: Literal["finding"] = "finding"
    at: AwareDatetime
    look: str
    """Key of the look in the ledger."""
    monitor: str
    of: str
    model: str
    signal: str
    slice: str = "all"
    unit: str
    """Of all values here: the signal's own, or that of its distance from the reference where it has no level."""
    value: FiniteFloat
    low: FiniteFloat | None = None
    """95% interval of the value, the reference being taken for known."""
    high: FiniteFloat | None = None
    reference: FiniteFloat
    band_low: FiniteFloat | None = None
    """Between these the signal has not moved by as much as its floor."""
    band_high: FiniteFloat | None = None
    moved: bool
    """Whether the look raised an alert for it here."""
    n: int
    """Rows behind the value."""


class VerdictEvent(_Payload):
    """What a gate said of a run: the custom event ``driftgate.verdict``."""

    kind: Literal["verdict"] = "verdict"
    at: AwareDatetime
    gate: str
    run: str
    suite: str
    verdict: Literal["pass", "fail", "inconclusive", "unmeasurable"]
    champion: str = ""
    """Whom the rules meant by champion."""
    why: str = ""
    """What the gravest rule says."""


class NightEvent(_Payload):
    """A night that ended, whatever it came to: the custom event ``driftgate.night``."""

    kind: Literal["night"] = "night"
    at: AwareDatetime
    """When it ended."""
    exit_code: int
    """The gravest of its parts; 2 where one could not be done."""
    why: str = ""
    """What could not be done."""


class RemediationEvent(_Payload):
    """A step of a remediation: the custom event ``driftgate.remediation``."""

    kind: Literal["remediation"] = "remediation"
    at: AwareDatetime
    remediation: str
    slot: str
    cause: str
    champion: str
    state: str
    """``open``, ``promoted``, ``rejected`` or another end, as of when this was written down."""
    step: str
    status: str
    why: str = ""


class IncidentEvent(_Payload):
    """Where an incident stands: the custom event ``driftgate.incident``."""

    kind: Literal["incident"] = "incident"
    at: AwareDatetime
    """When it stood so."""
    incident: str
    """Its id, the same for as long as it lasts."""
    monitor: str = ""
    """Empty where it concerns the workspace."""
    cause: str
    name: str
    """What it is, such as ``endpoint_down``."""
    state: Literal["open", "acknowledged", "resolved"]
    severity: str
    """``low``, ``medium``, ``high`` or ``critical``."""
    since: AwareDatetime
    """When its first sign was seen."""
    summary: str
    remedy: str = ""
    acknowledged_by: str = ""


class EvaluationResult(_Payload):
    """A score or a judgement: the custom event ``gen_ai.evaluation.result``."""

    kind: Literal["evaluation"] = "evaluation"
    at: AwareDatetime
    name: str
    value: FiniteFloat | None = None
    low: FiniteFloat | None = None
    """The 95% interval of ``value``."""
    high: FiniteFloat | None = None
    n: int | None = None
    """Samples behind it."""
    label: str = ""
    explanation: str = ""
    model: str
    """Name in the workspace."""
    provider: str = ""
    flow: str = ""
    dataset: str = ""
    response_id: str = ""
    """Of the evaluated response, where a single one was."""
    run: str = ""
    """The run it belongs to; the event then lies in the run's trace,"""
    cell: int | None = None
    """under the span of this cell."""


class CellTrace(_Payload):
    """One cell of a run: a child span."""

    ordinal: int
    model: str
    """Name in the workspace."""
    request_model: str = ""
    """Name at the provider."""
    provider: str
    """In the words of the GenAI conventions, such as ``azure.ai.openai``."""
    flow: str
    variant: str = ""
    dataset: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    outcomes: dict[str, int]
    """Samples by outcome."""
    accuracy: FiniteFloat | None = None
    accuracy_low: FiniteFloat | None = None
    accuracy_high: FiniteFloat | None = None
    input_tokens: int | None = None
    """None where the service did not say; nothing is sent then, rather than 0."""
    output_tokens: int | None = None
    cost: FiniteFloat | None = None
    """None where it is not known."""
    currency: str = "USD"


class RunTrace(_Payload):
    """A finished run: a trace of one span for the run and one for each cell."""

    kind: Literal["run"] = "run"
    run: str
    suite: str
    status: str
    """``complete``, ``stopped`` or ``interrupted``."""
    verdict: str = ""
    """Of the gate, where there is one."""
    started_at: AwareDatetime
    finished_at: AwareDatetime
    cells: tuple[CellTrace, ...] = ()


Payload = (
    SignalValue
    | AlertEvent
    | LookEvent
    | FindingEvent
    | IncidentEvent
    | VerdictEvent
    | NightEvent
    | RemediationEvent
    | EvaluationResult
    | RunTrace
)

PAYLOADS: TypeAdapter[Payload] = TypeAdapter(Annotated[Payload, Field(discriminator="kind")])
"""Reads a payload of any kind."""
