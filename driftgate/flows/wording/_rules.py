"""Which rules texts are read and compared by; apart from these, so that asking it loads none of them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def rules_id() -> str:
    """Hash of all by which texts are read and compared here, for the signature of scores: 12 hexadecimal digits."""
    flows = Path(__file__).parents[1]
    sources = sorted([*flows.glob("wording/*.py"), *flows.glob("quantities/**/*.py"), flows / "thinking.py"])
    return hashlib.sha256(b"\n".join(path.read_bytes() for path in sources)).hexdigest()[:12]
