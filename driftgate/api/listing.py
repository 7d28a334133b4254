"""What a workspace's ledger holds, found quickly: of ``driftgate.yaml`` only the ledger's place is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from driftgate.api import _yaml
from driftgate.api._yaml import FILE, LEDGER
from driftgate.api.roots import Roots
from driftgate.flows.environment import keep_secrets_of, resolve, without_literal
from driftgate.flows.errors import DriftgateError, check_known, nearest
from driftgate.flows.private_files import share
from driftgate.ledger import KINDS, Ledger, RunRow, as_they_stand, latest_runs, open_ledger, suites_of


def listed_runs(folder: Path, limit: int, *, suite: str = "", kind: str | Collection[str] = ()) -> Sequence[RunRow]:
    """As :func:`newest_runs`, of the ledger of the workspace in a folder.

    Raises
    ------
    DriftgateError
        There is no workspace in the folder, its ledger cannot be opened, or there is no such kind.
    """
    document = _yaml.read(folder / FILE)
    location = document.value.get("ledger", LEDGER) if isinstance(document.value, dict) else LEDGER
    if not isinstance(location, str):
        where = document.where(("ledger",))
        raise DriftgateError(f"{where}: ledger: it is {location!r}", "give it a path or a database's URL")
    try:
        without_literal(location)
    except ValueError as problem:
        raise DriftgateError(f"{document.where(('ledger',))}: ledger: {problem}", "see docs/security.md") from problem
    keep_secrets_of(document.value)
    sharing = document.value.get("files") if isinstance(document.value, dict) else None
    share(folder, "group" if sharing == "group" else "private")
    named = document.value.get("allowed_roots", []) if isinstance(document.value, dict) else []
    Roots.of(folder, [one for one in named if isinstance(one, str)]).ledger(location, "ledger")
    named = document.value.get("suites") if isinstance(document.value, dict) else None
    suites = [str(name) for name in named] if isinstance(named, dict) else []
    ledger = open_ledger(resolve(location, "ledger"), folder)
    try:
        return newest_runs(ledger, limit, suite=suite, kind=kind, suites=suites)
    finally:
        ledger.close()


def newest_runs(
    ledger: Ledger, limit: int, *, suite: str = "", kind: str | Collection[str] = (), suites: Collection[str] = ()
) -> Sequence[RunRow]:
    """The newest runs first; one that gives nothing any more has the status ``stalled``.

    Parameters
    ----------
    suite : str
        Only runs of this suite.
    kind : str or collection of str
        Only runs of this kind, or of these: benchmark, canary, proof, parity, attribution, import,
        baseline, trial.
    suites : collection of str
        Suites that there are though nothing may have run them yet.

    Raises
    ------
    DriftgateError
        There is no such kind, or no such suite.
    """
    kinds = [name for name in ([kind] if isinstance(kind, str) else kind) if name]
    for name in kinds:
        if name not in KINDS:
            raise DriftgateError(f"there is no kind of runs '{name}'", nearest(name, KINDS))
    found = latest_runs(ledger, limit, suite=suite or None, kinds=kinds)
    if suite and not found:
        check_known("suite", suite, {*suites, *suites_of(ledger)})
    return as_they_stand(ledger, found)
