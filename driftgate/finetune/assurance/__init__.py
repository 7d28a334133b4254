"""Privacy assurance of a training set: figures with limits, a verdict, and a training that refuses without one."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.finetune.assurance._assure import Assurance, as_data, assure, foreseen
    from driftgate.finetune.assurance._canaries import make_canaries
    from driftgate.finetune.assurance._figure import Figure
    from driftgate.finetune.assurance._limits import PrivacyLimits
    from driftgate.finetune.assurance._records import read_records, read_texts
    from driftgate.finetune.assurance._store import assurance_of, is_outdated, record_assurance, require_assured
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Assurance",
    "Figure",
    "PrivacyLimits",
    "as_data",
    "assurance_of",
    "assure",
    "foreseen",
    "is_outdated",
    "make_canaries",
    "read_records",
    "read_texts",
    "record_assurance",
    "require_assured",
]
