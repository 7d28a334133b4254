"""Commands of the lead who relies on a judge: hold it against people's labels, have it compare answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftgate.cli._options import HERE, JsonFile, Workspace


def calibrate(
    judge: Annotated[str, typer.Argument(help="The judge, as node.evaluator of a flow.")],
    labels: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or JSON Lines: texts, or samples of a run, with people's word; without: labels of the console."
        ),
    ] = None,
    workspace: Workspace = HERE,
    run: Annotated[str, typer.Option(help="RUN or RUN/PART: the cell whose samples were labelled.")] = "",
    suite: Annotated[str, typer.Option(help="Of texts: the suite whose judge is asked.")] = "",
    draw: Annotated[
        int | None, typer.Option(help="Write so many samples of the run to LABELS, for people to grade.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws them.")] = 0,
    max_cost: Annotated[
        float | None, typer.Option(help="Of texts: stop when the judge's grades have cost so much.")
    ] = None,
    as_json: JsonFile = None,
) -> None:
    """Hold a judge against people's labels: agreement, bias, threshold, and the pass rate corrected by them."""
    from rich.markup import escape

    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.calibrate import print_calibration

    console = _console.console
    _console.check_writable(as_json)
    with driftgate.open(workspace) as ws:
        if draw is not None:
            if labels is None:
                raise typer.BadParameter("name the file that --draw writes", param_hint="LABELS")
            count = ws.draw_labels(judge, labels, run=run, size=draw, seed=seed)
            written = escape(_console.shown(labels.resolve()))
            console.print(f"{count:,} samples, drawn by seed {seed}: {written}", soft_wrap=True)
            console.print(
                "fill in 'grade' (the judge's scale) or 'passed' (1 or 0), then give the command without --draw"
            )
            return
        words = "stopped; the grades so far are kept: give the same command again to go on"
        with _console.stops(words), _console.bar("grading") as advance:
            made = ws.calibrate(judge, labels, run=run, suite=suite, max_cost=max_cost, advance=advance)
        print_calibration(console, made)
        if as_json is not None:
            _console.write_json(as_json, made.as_json())


def pairwise(
    first: Annotated[str, typer.Argument(help="A run with one cell, or RUN/PART.")],
    second: Annotated[str, typer.Argument(help="The other one.")],
    judge: Annotated[str, typer.Option(help="The model of the workspace that judges.")],
    criteria: Annotated[str, typer.Option(help="What a better answer is like, in plain words.")],
    workspace: Workspace = HERE,
    language: Annotated[str, typer.Option(help="Of the prompt, ko or en. Without: that of the criteria.")] = "",
    limit: Annotated[int, typer.Option(help="Only so many samples; 0: all.")] = 0,
    as_json: JsonFile = None,
) -> None:
    """Have a judge compare the stored answers of two cells, in both orders. Exit 4: the judge cannot be relied on.

    The models are not asked again. Each pair costs two requests to the judge.
    """
    import driftgate
    from driftgate.cli import _console
    from driftgate.cli.show.pairwise import print_pairwise

    _console.check_writable(as_json)
    with driftgate.open(workspace) as ws:
        found = ws.pairwise(first, second, judge=judge, criteria=criteria, language=language, limit=limit)
    print_pairwise(_console.console, found)
    if as_json is not None:
        _console.write_json(as_json, found.as_json())
    if found.said.verdict == "unmeasurable":
        raise typer.Exit(4)
