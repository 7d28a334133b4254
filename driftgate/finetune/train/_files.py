"""Files that are whole or absent, whatever happens to the process that writes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from driftgate.flows.private_files import replace_file


def write_atomically(path: Path, content: bytes) -> None:
    """Write aside, flush to the disk, rename: a reader sees the old content or the new, never a part.

    The file and the folders that are made for it are private: see :mod:`driftgate.flows.private_files`.
    """
    replace_file(path, content)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as it is now, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
