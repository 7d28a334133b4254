"""driftgate and what was laid out of a workspace, as one archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterator
from importlib.metadata import distribution
from pathlib import Path

import driftgate
from driftgate.api.cluster._told import ToldRun
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.shipped import FOLDERS, shipped

ARCHIVE = "bench.zip"
JOB = "job.json"
TREE = "tree"


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


def _below(folder: Path, name: str, but: Collection[str] = ()) -> Iterator[tuple[Path, str]]:
    """Files below a folder and their names in the archive, without hidden and compiled ones."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in ("__pycache__", *but):
            continue
        if entry.is_dir():
            yield from _below(entry, f"{name}/{entry.name}")
        else:
            yield entry, f"{name}/{entry.name}"
