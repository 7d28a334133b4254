"""Download a dataset from the Hugging Face Hub."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra
from driftgate.flows.network import NetworkRefused, in_force


def download(hub: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Download a dataset repository's files, or find them in the local cache; return their folder.

    Parameters
    ----------
    hub : str
        The repository, for example ``HAERAE-HUB/KMMLU``.
    revision : str, optional
        Commit, branch or tag; the default branch where it is not given.
    patterns : sequence of str
        Which files, in ``fnmatch`` patterns.

    Returns
    -------
    Path
        The snapshot; its name is the commit.

    Raises
    ------
    DriftgateError
        ``huggingface_hub`` is not installed, the hub may not be asked, the repository cannot be reached or read, or the
        name is malformed.
    """
    try:
        from huggingface_hub import errors, snapshot_download
    except ImportError:
        raise MissingExtra("hub", f"reading '{hub}' from the hub", "set path to a folder with its files") from None
    refused = _refusal()
    try:
        return Path(
            snapshot_download(
                hub,
                repo_type="dataset",
                revision=revision,
                allow_patterns=list(patterns),
                local_files_only=refused is not None,
            )
        )
    except errors.GatedRepoError:
        raise _refused(
            f"the hub's dataset '{hub}' is gated",
            "accept its terms on the hub and set HF_TOKEN",
        ) from None
    except errors.RepositoryNotFoundError:
        found = f"the hub has no public dataset '{hub}'"
        raise _refused(found, "check its name, set HF_TOKEN if it is private") from None
    except errors.RevisionNotFoundError:
        raise _refused(f"the hub's dataset '{hub}' has no revision '{revision}'", "check revision") from None
    except errors.HFValidationError:
        raise _refused(f"'{hub}' is not the name of a hub repository", "write it as OWNER/NAME") from None
    except errors.LocalEntryNotFoundError as problem:
        if refused is None:
            raise _unreached(hub, problem) from problem
        raise _refused(f"'{hub}' is not in the local cache, and {refused.message}", refused.remedy) from None
    except Exception as problem:  # what its transport raises differs by version: requests, httpx, httpx2
        raise _unreached(hub, problem) from problem


def _refusal() -> NetworkRefused | None:
    """Why the hub may not be asked; None where it may."""
    try:
        in_force().check(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    except NetworkRefused as problem:
        return problem
    return None


def _unreached(hub: str, problem: Exception) -> DriftgateError:
    return _refused(
        f"the hub could not be reached for '{hub}', which is not in the local cache ({type(problem).__name__})",
        "connect to the network (HF_ENDPOINT and HF_HUB_OFFLINE are honoured)",
    )


def _refused(found: str, remedy: str) -> DriftgateError:
    return DriftgateError(found, f"{remedy}, or set path to a folder with its files")
