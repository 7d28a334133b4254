"""Users under a pseudonym: told apart, counted and grouped, and nobody's name."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from driftgate.flows.private_files import make_folder, open_private, replace_file
from driftgate.monitor.telemetry._span import label

_NAME = "users.key"
_BYTES = 32
_ATTEMPTS, _APART = 100, 0.01


def pseudonyms(folder: Path) -> Callable[[str], str]:
    """A function that makes a pseudonym of a user's id.

    It is a hash with a key (HMAC-SHA-256, RFC 2104, its first 64 bits) that lies in the telemetry folder, private to
    its owner, and is made when the first user comes. Who has the key can tell whether a given id is a given pseudonym;
    who has only the calls cannot, and without the key no pseudonym leads back to an id.

    Parameters
    ----------
    folder : Path
        The telemetry folder; all processes that write it use one key.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     one, other = pseudonyms(Path(folder)), pseudonyms(Path(folder))
    ...     len(one("kim")), one("kim") == other("kim"), one("kim") == one("lee")
    (16, True, False)
    """

    @cache
    def key() -> bytes:
        path = make_folder(folder) / _NAME
        with suppress(FileExistsError), open_private(path, "xb") as file:
            file.write(secrets.token_hex(_BYTES).encode())
        for _ in range(_ATTEMPTS):
            if len(found := path.read_bytes()) >= 2 * _BYTES:
                return found
            time.sleep(_APART)  # another process makes it right now
        replace_file(path, secrets.token_hex(_BYTES).encode())  # whoever made it was killed in it, and used none
        return path.read_bytes()

    return lambda user: _pseudonym(key(), user)


def known_as(folder: Path, user: str) -> tuple[str, ...]:
    """What may stand for a user in a telemetry folder: the pseudonym of the id, and the id itself where it is one.

    A key is not made for it: where there is none, no id was ever given a pseudonym.
    """
    user = label(user)
    path = folder / _NAME
    return tuple(dict.fromkeys((*([_pseudonym(path.read_bytes(), user)] if path.exists() else []), user)))


def _pseudonym(key: bytes, user: str) -> str:
    found = hmac.new(key, user.encode("utf-8", "replace"), "sha256").hexdigest()[:16]
    # Sixteen digits may be the number of a card, and would be blanked as one.
    return found[:-1] + "abcdefabcd"[int(found[-1])] if found.isdecimal() else found
