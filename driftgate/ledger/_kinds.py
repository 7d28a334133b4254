"""Kinds of runs: what a run was made for, and how one that was cut short is gone on with."""

from __future__ import annotations

from typing import Literal, get_args

RunKind = Literal["benchmark", "canary", "proof", "parity", "attribution", "import", "baseline", "trial"]
"""What a run was made for.

``benchmark``
    A suite of the workspace was run.
``canary``
    Fixed prompts were asked of a model that is live, or of a deployment on its way there.
``proof``
    A remediation asked the champion and its candidate the same questions.
``parity``
    A flow and its port were asked the same.
``attribution``
    Nodes were asked again to say which of them moved.
``import``
    Recorded answers were read.
``baseline``
    A run of another ledger was imported, for others to be compared with.
``trial``
    A suite was run for a change that is only proposed, such as a pull request: judged as a benchmark is, and neither
    ``latest`` nor ``previous`` to any run.
"""

KINDS: tuple[RunKind, ...] = get_args(RunKind)


def how_to_finish(kind: str, run: str) -> str:
    """What goes on with a run that is not complete.

    Examples
    --------
    >>> how_to_finish("benchmark", "20261122-231500-nightly-3fa2")
    'finish it with: driftgate bench --resume --run 20261122-231500-nightly-3fa2'
    >>> how_to_finish("parity", "20261122-231500-parity-3fa2")
    "finish it with the same 'driftgate flow parity' command as before"
    """
    match kind:
        case "benchmark" | "trial":
            return f"finish it with: driftgate bench --resume --run {run}"
        case "canary":
            return "a look is not gone on with; take another with: driftgate monitor check"
        case "proof":
            return "its remediation goes on with it: driftgate remediation run"
        case "import":
            return "import the same files again: what is there is not read twice"
        case "baseline":
            return "import its file again: driftgate baseline import FILE"
    return (
        f"finish it with the same 'driftgate flow {'attribute' if kind == 'attribution' else kind}' command as before"
    )
