"""The command ``driftgate``: one module for each person. Everything slow is imported by the command that needs it."""

from __future__ import annotations

import gc
import logging
import os
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from driftgate.cli import (
    access,
    azure,
    build,
    ci,
    incidents,
    jobs,
    judging,
    lead,
    oncall,
    privacy,
    remediation,
    synth,
    training,
)
from driftgate.flows.errors import DriftgateError, StoppedByUser
from driftgate.flows.extras import naming_extras
from driftgate.flows.scrubbed_output import guard_logs, guard_tracebacks
from driftgate.flows.streams import guard
from driftgate.flows.told import in_words


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run a command; nothing but the command itself says how it ended.

        Raises
        ------
        DriftgateError
            Code that is not ours called ``sys.exit``: with 0, what was never done would count as done.
        """
        try:
            return super().invoke(ctx)
        except SystemExit as ended:  # our commands raise typer.Exit, which is none
            raise DriftgateError(
                f"code that is not driftgate's called sys.exit({ended.code!r}), so that the command did not end",
                "let it raise an exception; `driftgate --debug ...` shows where it stands",
            ) from ended


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Benchmark language models, gate their promotion and watch them in production.",
)
_DAILY: tuple[Callable[..., None], ...] = (
    ci.bench,
    ci.gate,
    lead.compare,
    judging.calibrate,
    judging.pairwise,
    ci.report,
    oncall.nightly,
    oncall.serve,
    oncall.view,
    access.audit,
    build.doctor,
    build.documents,
    training.export,
    build.forget,
    build.init,
    build.schema,
)
for _command in _DAILY:
    app.command()(_command)
for _name, _group in (
    ("runs", ci.runs),
    ("baseline", ci.baseline),
    ("flow", lead.flow),
    ("dataset", lead.dataset),
    ("monitor", oncall.monitor),
    ("jobs", jobs.jobs),
    ("incidents", incidents.incidents),
    ("notify", incidents.notify),
    ("champion", oncall.champion),
    ("remediation", remediation.remediation),
    ("privacy", privacy.privacy),
    ("synth", synth.synth),
    ("training", training.training),
    ("azure", azure.azure),
    ("keys", access.keys),
    ("ledger", build.ledger),
    ("demo", build.demo),
):
    app.add_typer(_group, name=_name)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"driftgate {version('driftgate')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if debug:
        os.environ["DRIFTGATE_DEBUG"] = "1"
        logging.basicConfig()
        logging.getLogger("driftgate").setLevel(logging.DEBUG)  # tells also of what was set aside
    else:
        # What libraries say of columns that never vary is no word to who reads a terminal.
        warnings.filterwarnings("ignore", category=RuntimeWarning)


def main() -> None:
    """Run the command; an error is one sentence with a remedy, and exit code 2."""
    guard()
    # A command imports much that lasts; by default it is all searched for cycles again and again.
    gc.set_threshold(50_000, 20, 100)
    guard_logs()
    guard_tracebacks()
    try:
        with naming_extras("the command"):
            app()
    except (KeyboardInterrupt, StoppedByUser):
        raise SystemExit(130) from None  # as shells have it: 128 and the number of SIGINT
    except Exception as problem:
        _fail(problem, in_words(problem))


def _fail(problem: Exception, told: DriftgateError) -> None:
    if os.environ.get("DRIFTGATE_DEBUG"):
        raise problem
    sys.stderr.write(f"driftgate: {told.message}\n" + (f"  {told.remedy}\n" if told.remedy else ""))
    raise SystemExit(2)
