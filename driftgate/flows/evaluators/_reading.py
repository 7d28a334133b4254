"""What evaluators that read texts by rules say of themselves, so that scores by two versions are told apart."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from driftgate.flows.wording import rules_id


@cache
def reading_id(*modules: str) -> str:
    """Hash of the rules by which texts are read and of the evaluator's own modules: 12 hexadecimal digits.

    Parameters
    ----------
    *modules : str
        Names of modules beside this one, or of other files with their suffix; how a reply that is not there is taken
        is part of all.
    """
    files = (name if "." in name else f"{name}.py" for name in sorted({"_replies", *modules}))
    own = [(Path(__file__).parent / file).read_bytes() for file in files]
    return hashlib.sha256(b"\n".join([rules_id().encode(), *own])).hexdigest()[:12]
