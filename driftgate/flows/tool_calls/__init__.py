"""Calls of tools that a model or an agent made: read from what is recorded, and held against what was wanted."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.tool_calls._expected import Expectation, ExpectedCall, read_expectation
    from driftgate.flows.tool_calls._findings import KINDS, Finding
    from driftgate.flows.tool_calls._items import MadeCall
    from driftgate.flows.tool_calls._judge import Judgement, judge_calls
    from driftgate.flows.tool_calls._matchers import fits
    from driftgate.flows.tool_calls._read import read_calls
    from driftgate.flows.tool_calls._schemas import Tools, read_tools
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "KINDS",
    "Expectation",
    "ExpectedCall",
    "Finding",
    "Judgement",
    "MadeCall",
    "Tools",
    "fits",
    "judge_calls",
    "read_calls",
    "read_expectation",
    "read_tools",
]
