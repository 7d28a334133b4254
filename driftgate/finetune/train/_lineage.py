"""What a remote job was made from: a fingerprint to know it by, and the hashes its result is traced by."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from driftgate.finetune.train._files import sha256_of
from driftgate.finetune.train._trainer import TrainingJob


def fingerprint(job: TrainingJob, **settings: Any) -> str:
    """Return 12 hexadecimal digits that change with the items, the base, the recipe, the seed or a setting."""
    made_from = {
        "items": sha256_of(job.items),
        "validation": sha256_of(job.validation) if job.validation else None,
        "base_model": dict(job.base_model),
        "recipe": job.recipe.model_dump(),
        "seed": job.seed,
        "settings": settings,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]


def lineage_of(job: TrainingJob, **more: Any) -> dict[str, Any]:
    """Return the job's name, items, recipe and seed as JSON values."""
    validation = {"validation_sha256": sha256_of(job.validation)} if job.validation else {}
    return {
        "job": job.name,
        "items_sha256": sha256_of(job.items),
        **validation,
        "recipe": job.recipe.model_dump(),
        "seed": job.seed,
        **more,
    }
