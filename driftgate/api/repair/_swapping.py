"""The model of an Azure OpenAI or Foundry deployment, exchanged for the candidate just before the champion moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from driftgate.finetune.deploy import OpenAIAccount, Swap, SwapConfig, SwapFailed, SwapMove
from driftgate.finetune.remediation import Abandoned, Held, Progress, RolledOut, Trained
from driftgate.flows.errors import DriftgateError


class _Where(BaseModel):
    """The deployment whose model is exchanged, noted before anything is asked of it."""

    model_config = ConfigDict(frozen=True)

    account: OpenAIAccount | None = None
    deployment: str = ""
    to: str = ""
    before: Mapping[str, str | None] = {}


async def swap_model(config: SwapConfig, progress: Progress) -> RolledOut:
    """Exchange the model, as far as the service lets it.

    Raises
    ------
    Held
        It is under way.
    Abandoned
        The service did not bring it about; the model before is put back.
    DriftgateError
        The recipe names another deployment than the one that was begun with, or the service refused.
    """
    known = progress.noted(_Where)
    if known.account is not None and (known.account, known.deployment) != (config.account, config.deployment):
        raise DriftgateError(
            f"the exchange of remediation {progress.remediation.id} began on deployment '{known.deployment}' of "
            f"account '{known.account.account}', and the recipe names another one now",
            "put it back into the recipe",
        )
    if known.account is None:
        progress.note({"account": config.account.model_dump(mode="json"), "deployment": config.deployment})
    swap = Swap(config, progress.found.get(Trained).artefact)
    where = f"deployment '{config.deployment}' of account '{config.account.account}'"
    try:
        done = await asyncio.to_thread(swap.advance, progress.notes, progress.note)
    except SwapFailed as problem:
        raise Abandoned(f"{where}: {problem}") from problem
    if isinstance(done, str):
        raise Held(f"{where}: {done}; the next nightly run goes on")
    return RolledOut(phase="exchanged", traffic=done.model_dump(mode="json"))


async def put_back(progress: Progress) -> None:
    """Put the model before back where an exchange began, for a candidate that does not become champion.

    Parameters
    ----------
    progress : Progress
        Of the step that rolls out.

    Raises
    ------
    DriftgateError
        See :meth:`driftgate.finetune.deploy.SwapMove.undo`.
    """
    known = progress.noted(_Where)
    if known.account is not None and known.before:
        kept = {"deployment": known.deployment, "model": known.to, "before": known.before}
        await SwapMove.model_validate({"account": known.account.model_dump(), **kept}).undo()
