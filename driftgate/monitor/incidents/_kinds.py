"""What incidents are called, and how a look that could not measure comes by its name.

A look says in a sentence what it lacked. The sentences are the looks' own, and each has its name here; a test takes
them from real looks. One that has none is called ``unmeasurable``: it is an incident all the same.
"""

from __future__ import annotations

import re
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

_CANARIES = (
    ("canaries_changed", r"\d+ not asked any more"),
    ("credentials_refused", r"HTTP 40[13]\b|refused the key|credential|unauthori[sz]ed"),
    ("throttled", r"HTTP 429\b|quota|rate limit"),
    ("too_slow", r"minutes is reached"),
    ("model_not_served", r"is not served at"),
    ("requests_refused", r"were refused alike"),
    ("filtered", r"\(\d+ filtered\b"),
    ("endpoint_down", r"nothing answers at|\(\d+ (failed|missing)\b|cannot be reached|timed out"),
    ("no_answers", r"canaries were answered \("),
)
_TRAFFIC = (
    ("no_traffic", r"^no call was recorded in the current window|^no call was recorded since"),
    ("traffic_lost", r"calls were recorded in the current window where"),
    ("part_silent", r"^a part of the traffic fell silent"),
    ("no_content", r"texts of calls were not read|cease to tell|content"),
    ("spans_refused", r"spans could not be taken"),
    ("clock_wrong", r"newest calls cannot be told from those to come|no call is dated before the look"),
    ("reference_unfit", r"an outage is no reference"),
    ("signals_untold", r"of the current window tells|calls tell "),
)
_BY_SUBJECT = {"canaries": _CANARIES, "prompts": _CANARIES, "traffic": _TRAFFIC}


def name_of_blindness(subject: str, reason: str) -> str:
    """What to call it that a look could not measure, by what it says.

    Examples
    --------
    >>> name_of_blindness("canaries", "nothing answers at 127.0.0.1:9")
    'endpoint_down'
    >>> name_of_blindness("traffic", "no call was recorded in the current window")
    'no_traffic'
    >>> name_of_blindness("answers", "the judge has no price")
    'unmeasurable'
    """
    patterns = _BY_SUBJECT.get(subject, ())
    return next((name for name, pattern in patterns if re.search(pattern, reason, re.I)), "unmeasurable")


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
