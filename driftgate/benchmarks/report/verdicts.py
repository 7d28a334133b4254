"""The verdicts alone, as Markdown, for the page of a build."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.benchmarks.report._markdown import verdict_section
from driftgate.benchmarks.report._views import verdict_views
from driftgate.ledger import VerdictRow


def render_verdicts(verdicts: Sequence[VerdictRow]) -> str:
    """A section a gate, the gravest first."""
    return "\n\n".join(verdict_section(view) for view in verdict_views(verdicts)) + "\n"
