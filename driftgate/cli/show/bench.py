"""A run on the terminal, while it goes on and when it has ended."""

from __future__ import annotations

from collections.abc import Callable

from rich.markup import escape

from driftgate.api.bench import Begun, Done
from driftgate.api.display import ProgressDisplay
from driftgate.api.terminal import PlainConsole
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.trouble import failed_words
from driftgate.cli._console import shown, stops
from driftgate.cli.show.preflight import print_finding
from driftgate.cli.show.runs import print_scores, print_verdict


def carry_out(console: PlainConsole, begun: Begun, finish: Callable[[Display], Done]) -> Done:
    """Work on a run until it ends, and print its scores, verdicts and report.

    Raises
    ------
    DriftgateError
        Something could not be done; the ledger is intact.
    StoppedByUser
        The user stopped the run; how to go on was printed.
    """
    for finding in begun.doubts:
        print_finding(console, finding)
    repeats = begun.planned.suite.repeats
    unit = "samples" if repeats == 1 else f"questions, {repeats} of each sample"
    goes_on = "goes on with " if begun.goes_on else ""
    console.print(
        f"{goes_on}run [bold]{escape(begun.run.id)}[/]: {len(begun.planned.cells)} cells, {begun.samples:,} {unit}"
    )
    with stops(f"stopped; go on with: {begun.resume}"):
        done = finish(ProgressDisplay(console))
    print_scores(console, done.scored)
    for scores in done.failing:
        what = failed_words(scores.asks, judged=scores.judged)
        said = f"{scores.cell.name}: {scores.failed_share:.1%} of the samples {what}"
        console.print(
            f"  [bold magenta]unmeasurable[/] {escape(said)}; the suite allows {done.max_failed:.0%} (max_failed)",
            soft_wrap=True,
        )
    for scores in done.unanswered:
        said = f"{scores.cell.name}: none of {len(scores.asks):,} samples got an answer that could be read"
        console.print(f"  [bold magenta]unmeasurable[/] {escape(said)}", soft_wrap=True)
    for verdict in done.verdicts:
        print_verdict(console, verdict)
    console.print(f"report: {escape(shown(done.files.html))}", soft_wrap=True)
    return done
