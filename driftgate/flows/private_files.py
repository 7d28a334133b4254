"""Files that only their owner may read, whatever the umask is.

Everything that driftgate writes of its own accord goes through this module: what was asked and answered, what a run
says of a service, and the texts that telemetry keeps are nobody else's concern. A workspace whose ``files`` is
``group`` shares them with its group. What was there before keeps the rights that somebody gave it; ``driftgate doctor``
says so where others may read it. Standard library only: the training script, which runs elsewhere, takes this along.

On Windows a file has the rights of its folder, and no mode.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

Sharing = Literal["private", "group"]
"""Who may read and write what driftgate makes: its owner, or its owner's group as well."""

_FILE = {"private": 0o600, "group": 0o660}
_FOLDER = {"private": 0o700, "group": 0o770}
_shared: dict[Path, Sharing] = {}


def share(workspace: Path, sharing: Sharing) -> None:
    """Say who may read what is made in a workspace; a folder of which nothing was said is private."""
    _shared[workspace.resolve()] = sharing


def sharing_of(path: Path) -> Sharing:
    """Who may read what is made at a path: as its workspace says, and outside of all of them as all of them say.

    Examples
    --------
    >>> sharing_of(Path("/no/workspace"))
    'private'
    """
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        if folder in _shared:
            return _shared[folder]
    said = set(_shared.values())
    return "group" if said == {"group"} else "private"


def file_mode(path: Path) -> int:
    """The rights of a file that is made at a path.

    Examples
    --------
    >>> oct(file_mode(Path("/no/workspace/ledger.db")))
    '0o600'
    """
    return _FILE[sharing_of(path)]


def make_folder(path: Path) -> Path:
    """Make a folder and those above it that are missing, and return it; what is there is left as it is.

    Raises
    ------
    OSError
        It cannot be made.
    """
    missing = []
    place = path
    while not place.exists() and place != place.parent:
        missing.append(place)
        place = place.parent
    mode = _FOLDER[sharing_of(path)]
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=mode)
        except FileExistsError:  # another process was quicker
            continue
        if os.name == "posix":
            folder.chmod(mode)  # the umask may have taken the group's rights
    path.mkdir(exist_ok=True)  # a file in its place is refused in the system's words
    return path


@contextmanager
def opened(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """As ``Path.open``, for writing: the file is private from its first moment.

    A file that was there already keeps its rights.
    """
    with open_private(path, mode, **options) as file:
        yield file


def open_private(path: Path, mode: str = "wb", **options: Any) -> IO[Any]:
    """As :func:`opened`, for a file that stays open."""
    rights = file_mode(path)
    made = not path.exists()

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, rights)

    file: IO[Any] = open(path, mode, opener=opener, **options)  # noqa: SIM115 - Path.open takes no opener
    if made and os.name == "posix":
        os.fchmod(file.fileno(), rights)
    return file


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole, in the place of an older one: a reader sees the old content or the new, never a part.

    Raises
    ------
    OSError
        It cannot be written; an older one is intact.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)  # a pipe or /dev/stdout, which nothing takes the place of
        return
    path = path.resolve() if path.is_symlink() else path
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with opened(aside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that is not there or may be lost with a crash; one that is made is private."""
    with opened(path, "wb") as file:
        file.write(content)


def make_private(path: Path) -> None:
    """Give a file, or a folder and all in it, the rights that it had been made with by this module.

    For what others write for us, in a folder that is private already.
    """
    if os.name != "posix":
        return
    sharing = sharing_of(path)
    for place in (path, *(path.rglob("*") if path.is_dir() else ())):
        if not place.is_symlink():
            place.chmod(_FOLDER[sharing] if place.is_dir() else _FILE[sharing])


def readable_by_others(path: Path) -> str:
    """Who beside those that may read a path can read it, in words; empty where nobody can."""
    if os.name != "posix":
        return ""
    mode = path.stat().st_mode
    if mode & 0o007:
        return "everybody on this machine"
    return "its group" if mode & 0o070 and sharing_of(path) == "private" else ""
