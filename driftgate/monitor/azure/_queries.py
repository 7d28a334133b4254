"""The workbook's queries, in KQL, by the names that are sent.

Azure Monitor receives records at least once. Each query first reads every record once: events and spans by their key,
a metric by its time, name and dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from driftgate.monitor.azure import _names as names
from driftgate.monitor.telemetry import _conventions as conventions

Visualisation = Literal["table", "linechart"]


@dataclass(frozen=True)
class Query:
    """One query of the workbook and how it is shown."""

    name: str
    title: str
    kql: str
    visualisation: Visualisation = "table"


def _text(name: str) -> str:
    return f'tostring(Properties["{name}"])'


def _real(name: str) -> str:
    return f'todouble(Properties["{name}"])'


def _whole(name: str) -> str:
    return f'tolong(Properties["{name}"])'


def _time(name: str) -> str:
    return f'todatetime(Properties["{name}"])'


_ONCE = f"| summarize arg_min(TimeGenerated, *) by Key = {_text(names.KEY)}"

_SIGNALS = f"""\
let onTime = AppMetrics
    | where TimeGenerated {{TimeRange}} and Name startswith "{names.SIGNAL_METRIC}"
    | summarize Value = take_any(Sum) by At = TimeGenerated,
        Signal = substring(Name, {len(names.SIGNAL_METRIC)}),
        Model = {_text(names.MODEL)}, Slice = {_text(names.SLICE)}, Unit = {_text(names.UNIT)};
let late = AppEvents
    | where TimeGenerated {{TimeRange}} and Name == "{names.SIGNAL_EVENT}"
    {_ONCE}
    | project At = {_time(names.AT)}, Signal = {_text(names.SIGNAL)},
        Model = {_text(names.MODEL)}, Slice = {_text(names.SLICE)}, Unit = {_text(names.UNIT)},
        Value = {_real(names.VALUE)};
let signals = union onTime, late;"""

_CHOSEN_MODELS = """| where "*" in ({Model}) or Model in ({Model})"""

SIGNAL_NAMES = f"""{_SIGNALS}
signals
| distinct Signal
| order by Signal asc"""
"""Values of the workbook's parameter ``Signal``."""

MODEL_NAMES = f"""union AppMetrics, AppEvents, AppDependencies
| where TimeGenerated {{TimeRange}}
| extend Model = {_text(names.MODEL)}
| where isnotempty(Model)
| distinct Model
| order by Model asc"""
"""Values of the workbook's parameter ``Model``."""

ALERT_RULE = f"""AppEvents
| where Name == "{names.ALERT_EVENT}"
{_ONCE}
| project TimeGenerated, Model = {_text(names.MODEL)}, Signal = {_text(names.SIGNAL)},
    Slice = {_text(names.SLICE)}, Summary = {_text(names.SUMMARY)}"""
"""What the alert rule counts; the rule's window is its time range."""

QUERIES = (
    Query(
        "alerts",
        "Drift alerts",
        f"""AppEvents
| where TimeGenerated {{TimeRange}} and Name == "{names.ALERT_EVENT}"
{_ONCE}
| extend Model = {_text(names.MODEL)}
{_CHOSEN_MODELS}
| project At = {_time(names.AT)}, Model, Signal = {_text(names.SIGNAL)},
    Moved = {_text(names.MOVED)}, Where = {_text(names.SLICE)}, Cause = {_text(names.CAUSE)},
    Effect = {_real(names.EFFECT)}, Low = {_real(names.EFFECT_LOW)}, High = {_real(names.EFFECT_HIGH)},
    Unit = {_text(names.EFFECT_UNIT)}, Floor = {_real(names.FLOOR)}, P = {_real(names.P_VALUE)},
    Detector = {_text(names.DETECTOR)}, Summary = {_text(names.SUMMARY)},
    Report = {_text(names.REPORT)}, Alert = {_text(names.ALERT)}
| order by At desc""",
    ),
    Query(
        "signals",
        "Drift signal {Signal}, by model and slice",
        f"""{_SIGNALS}
signals
| where Signal == "{{Signal}}"
{_CHOSEN_MODELS}
| project At, Series = strcat(Model, " · ", Slice), Value
| order by At asc""",
        "linechart",
    ),
    Query(
        "runs",
        "Runs",
        f"""AppRequests
| where TimeGenerated {{TimeRange}} and isnotempty({_text(names.SUITE)})
{_ONCE}
| project At = {_time(names.AT)}, Run = {_text(names.RUN)}, Suite = {_text(names.SUITE)},
    Status = {_text(names.STATUS)}, Verdict = {_text(names.VERDICT)},
    Cells = {_whole(names.CELLS)}, Minutes = round(DurationMs / 60000, 1), Complete = Success, OperationId
| order by At desc""",
    ),
    Query(
        "cells",
        "Cells of the runs: accuracy with its 95% interval, outcomes, tokens and cost",
        f"""AppDependencies
| where TimeGenerated {{TimeRange}} and {_text(conventions.OPERATION)} == "{names.EVALUATE}"
{_ONCE}
| extend Model = {_text(names.MODEL)}
{_CHOSEN_MODELS}
| project At = {_time(names.AT)}, Run = {_text(names.RUN)}, Cell = {_whole(names.CELL)}, Model,
    Provider = {_text(conventions.PROVIDER)}, RequestModel = {_text(conventions.REQUEST_MODEL)},
    Flow = {_text(names.FLOW)}, Variant = {_text(names.VARIANT)}, Dataset = {_text(names.DATASET)},
    Asked = {_whole(names.ASKED)}, Answered = {_whole(names.OUTCOME + "answered")},
    Accuracy = {_real(names.ACCURACY)}, Low = {_real(names.ACCURACY_LOW)}, High = {_real(names.ACCURACY_HIGH)},
    InputTokens = {_whole(conventions.INPUT_TOKENS)}, OutputTokens = {_whole(conventions.OUTPUT_TOKENS)},
    Cost = {_real(names.COST)}, Currency = {_text(names.CURRENCY)}, Minutes = round(DurationMs / 60000, 1)
| order by At desc, Cell asc""",
    ),
    Query(
        "evaluations",
        "Evaluation results: mean by day",
        f"""AppEvents
| where TimeGenerated {{TimeRange}} and Name == "{conventions.EVALUATION_EVENT}"
{_ONCE}
| extend Model = {_text(names.MODEL)}, Score = {_real(conventions.EVALUATION_SCORE)}
{_CHOSEN_MODELS}
| summarize Score = avg(Score), Results = sum(ItemCount), Labels = make_set({_text(conventions.EVALUATION_LABEL)}, 8),
    Latest = arg_max(TimeGenerated, Explanation = {_text(conventions.EVALUATION_EXPLANATION)})
    by Day = bin({_time(names.AT)}, 1d), Name = {_text(conventions.EVALUATION_NAME)}, Model,
    Dataset = {_text(names.DATASET)}
| order by Day desc, Name asc""",
    ),
    Query(
        "delivery",
        "Delivery: records received, and how many of them a resend repeats",
        f"""union withsource = Table AppEvents, AppRequests, AppDependencies
| where TimeGenerated {{TimeRange}}
| extend Key = {_text(names.KEY)}
| where isnotempty(Key)
| summarize Received = sum(ItemCount), Records = count_distinct(Key), Last = max(TimeGenerated) by Table
| extend Repeated = Received - Records""",
    ),
)
"""What the workbook shows, from top to bottom."""
