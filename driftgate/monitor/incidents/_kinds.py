"""What incidents are called: by what moved, by what a look lacked that could not measure, or by what else happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftgate.monitor.incidents._values import Severity


@dataclass(frozen=True)
class Kind:
    """A name of incidents."""

    title: str
    """In a few words."""
    severity: Severity
    cause: str = ""
    """What groups it with other signs of the same monitor; empty: what was looked at."""


KINDS: Mapping[str, Kind] = {
    "model_moved": Kind("the model answers otherwise", "high"),
    "prompt_moved": Kind("a prompt changed", "medium"),
    "input_moved": Kind("users ask something else", "medium"),
    "service_moved": Kind("the service does worse", "medium"),
    "telemetry_moved": Kind("the telemetry changed", "medium"),
    "unknown_moved": Kind("something moved", "medium"),
    "endpoint_down": Kind("the endpoint does not answer", "high", "service"),
    "credentials_refused": Kind("the endpoint refuses the credentials", "high", "service"),
    "too_slow": Kind("the endpoint is too slow", "high", "service"),
    "model_not_served": Kind("the endpoint does not serve the model", "high", "service"),
    "requests_refused": Kind("the endpoint refuses the requests", "high", "service"),
    "throttled": Kind("the endpoint answers too few requests", "high", "service"),
    "filtered": Kind("a content filter keeps answers back", "high", "service"),
    "no_answers": Kind("the replies hold no answers", "high", "model"),
    "canaries_changed": Kind("other canaries than the reference's are asked", "medium", "canaries"),
    "no_traffic": Kind("no traffic arrives", "high", "telemetry"),
    "traffic_lost": Kind("calls are missing from the traffic", "high", "telemetry"),
    "part_silent": Kind("a part of the traffic fell silent", "high", "telemetry"),
    "no_content": Kind("prompts and replies cannot be read", "medium", "telemetry"),
    "signals_untold": Kind("calls do not tell what is watched", "medium", "telemetry"),
    "spans_refused": Kind("spans cannot be taken", "high", "telemetry"),
    "clock_wrong": Kind("calls are dated wrongly", "medium", "telemetry"),
    "reference_unfit": Kind("the reference is an outage", "medium", "reference"),
    "no_usage": Kind("calls do not tell how many tokens they took", "medium", "telemetry"),
    "sampled_unevenly": Kind("calls are sampled unevenly", "medium", "telemetry"),
    "reference_unclear": Kind("the looks of the reference disagree", "medium", "reference"),
    "reference_building": Kind("the reference is being built", "medium", "reference"),
    "models_unnamed": Kind("calls do not name their model", "medium", "telemetry"),
    "anchor_lost": Kind("the reference that slow drift is measured by is gone", "medium", "reference"),
    "judge_fails": Kind("the judge gives no grades", "medium", "judge"),
    "judge_doubted": Kind("the judge cannot be relied on", "medium", "judge"),
    "grading_stopped": Kind("answers are graded no more", "medium", "judge"),
    "too_few": Kind("there is too little to tell", "medium"),
    "unmeasurable": Kind("it cannot be measured", "medium"),
    "nightly_failed": Kind("a nightly failed", "high", "nightly"),
    "nightly_missing": Kind("a nightly did not run", "high", "nightly"),
    "look_missing": Kind("nobody looks", "high", "missing"),
    "gate_failed": Kind("a gate failed", "high"),
    "gate_unmeasurable": Kind("a gate could not be judged", "medium"),
    "approval_waiting": Kind("an approval is waited for", "medium"),
    "repair_proposed": Kind("a repair is to be put in place", "medium"),
    "repair_stuck": Kind("a repair is to end, or has moved traffic, and cannot go on", "high"),
    "deployment_retiring": Kind("a deployment is retired", "low"),
}


def cause_of_blindness(subject: str, kind: str) -> str:
    """What groups it with other signs: an endpoint that is down and errors in its traffic are one cause.

    Examples
    --------
    >>> cause_of_blindness("canaries", "endpoint_down"), cause_of_blindness("answers", "unmeasurable")
    ('service', 'unmeasurable:answers')
    """
    return KINDS[kind].cause or f"{kind}:{subject}"


def titled(kind: str) -> str:
    """A kind in a few words; of a kind that a newer driftgate knows its name."""
    return KINDS[kind].title if kind in KINDS else kind.replace("_", " ")
