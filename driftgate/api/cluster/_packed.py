"""driftgate and what was laid out of a workspace as one archive, and the packages that both need."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import driftgate
from driftgate.api.cluster._told import ToldRun
from driftgate.finetune._azure_jobs import pinned_lines
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.shipped import FOLDERS, shipped

ARCHIVE = "bench.zip"
JOB = "job.json"
TREE = "tree"
_NEED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<marker>.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_SIGN_IN = "azure-identity"


def pack(folder: Path, tree: Path, told: ToldRun) -> None:
    """Write the archive into a folder: the same content gives the same bytes, so that it is uploaded once.

    Parameters
    ----------
    tree : Path
        What was laid out of the workspace.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

        root = Path(driftgate.__path__[0])
        for file, name in _below(root, root.name):
            add(name, file.read_bytes())
        for part in FOLDERS:
            if not shipped(part).is_relative_to(root):  # a checkout; in a wheel it is below the package
                for file, name in _below(shipped(part), f"{root.name}/shipped/{part}", but=("perf",)):
                    add(name, file.read_bytes())
        about = distribution("driftgate")
        for named in ("METADATA", "entry_points.txt"):
            add(f"driftgate-{about.version}.dist-info/{named}", (about.read_text(named) or "").encode())
        for file, name in _below(tree, TREE):
            add(name, file.read_bytes())
        add(JOB, told.as_json().encode(errors="replace"))
    make_folder(folder)
    replace_file(folder / ARCHIVE, content.getvalue())


def command(share: str, output: str) -> str:
    """What a job runs, in the folder that the archive was uploaded in."""
    return (
        f'python -m zipfile -e {ARCHIVE} . && python -m driftgate bench --job {JOB} --shard {share} --result "{output}"'
    )


def packages(extras: Collection[str], requirements: Path | None) -> list[str]:
    """Requirements of driftgate and of some extras, each at the version that is installed here, and those of a file.

    Raises
    ------
    DriftgateError
        There is no such extra, a package is not installed here, or a line of the file names no version.
    """
    named = dict.fromkeys(_needs("", extras))
    found = []
    for name in named:
        try:
            found.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            raise DriftgateError(
                f"the package {name} is not installed here, so that nothing says which version the jobs should take",
                f"pip install '{name}'",
            ) from None
    with suppress(PackageNotFoundError):  # nobody who submits jobs is without it
        found.append(f"{_SIGN_IN}=={version(_SIGN_IN)}")
    return sorted({*found, *(pinned_lines(requirements) if requirements is not None else ())})


def _needs(extra: str, extras: Collection[str]) -> Iterator[str]:
    """Names of what driftgate, or one of its extras, requires, and of what ``extras`` do."""
    about = distribution("driftgate")
    if unknown := sorted({*extras, *filter(None, [extra])} - set(about.metadata.get_all("Provides-Extra") or ())):
        raise DriftgateError(f"driftgate has no extra '{unknown[0]}'", "see azureml.extras in driftgate.yaml")
    for line in about.requires or ():
        parts = _NEED.fullmatch(line)
        assert parts is not None
        of = _EXTRA.search(parts["marker"] or "")
        if (of[1] if of else "") != extra:
            continue
        if parts["name"].lower() == "driftgate":
            for inner in re.split(r"[,\s]+", parts["extras"] or ""):
                yield from _needs(inner, ())
        else:
            yield parts["name"]
    for one in extras:
        yield from _needs(one, ())


def _below(folder: Path, name: str, but: Collection[str] = ()) -> Iterator[tuple[Path, str]]:
    """Files below a folder and their names in the archive, without hidden and compiled ones."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in ("__pycache__", *but):
            continue
        if entry.is_dir():
            yield from _below(entry, f"{name}/{entry.name}")
        else:
            yield entry, f"{name}/{entry.name}"
