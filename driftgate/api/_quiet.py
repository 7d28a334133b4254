"""A night that nobody watches: its results are returned, and nothing is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.benchmarks.runner import CellProgress, Display
from driftgate.flows.errors import DriftgateError

if TYPE_CHECKING:
    from driftgate.api.bench import Begun, Done
    from driftgate.api.keeping import Kept
    from driftgate.finetune.remediation import Remediation
    from driftgate.monitor.azure import Drained
    from driftgate.monitor.watch import Watched


class Unseen:
    """A :class:`driftgate.benchmarks.runner.Display` that shows nothing."""

    def begin(self, progress: CellProgress) -> None:
        """Show nothing."""

    def advance(self, progress: CellProgress) -> None:
        """Show nothing."""

    def end(self, progress: CellProgress) -> None:
        """Show nothing."""


class Quiet:
    """A :class:`driftgate.api.night.NightDisplay` that shows nothing."""

    progress: Display = Unseen()

    def benched(self, begun: Begun, finish: Callable[[Display], Done]) -> Done:
        """Take the run to its end."""
        return finish(self.progress)

    def looked(self, monitor: str, what: str, watched: Watched, evidence: Path | None) -> None:
        """Show nothing."""

    def opened(self, remediation: Remediation, new: bool) -> None:
        """Show nothing."""

    def mended(self, remediation: Remediation, why: str) -> None:
        """Show nothing."""

    def sent(self, drained: Drained) -> None:
        """Show nothing."""

    def kept(self, kept: Kept) -> None:
        """Show nothing."""

    def failed(self, part: str, problem: DriftgateError) -> None:
        """Show nothing; it is raised at the end."""
