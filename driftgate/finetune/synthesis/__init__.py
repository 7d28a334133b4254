"""Synthesis: from a failing slice's raw material to filtered training items with their lineage.

Generators and filters are modules of the packages below this one, or entry points of the groups
``driftgate.finetune.synthesis.generators`` and ``driftgate.finetune.synthesis.filters``.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.finetune.synthesis._config import (
        DocumentsSource,
        ExamplesSource,
        Persona,
        QuestionsSource,
        SynthesisConfig,
        TemplatesSource,
    )
    from driftgate.finetune.synthesis._coverage import CoverageDataset, Dropped
    from driftgate.finetune.synthesis._lineage import (
        as_sample,
        as_samples,
        lineage_of,
        record_dataset,
        recorded_lineage,
        report_of,
        write_dataset,
    )
    from driftgate.finetune.synthesis._materials import read_materials
    from driftgate.finetune.synthesis._synthesize import ASKS, built_in_personas, synthesize, try_source
    from driftgate.finetune.synthesis._values import (
        FILTERS,
        GENERATORS,
        Candidate,
        Filter,
        Generated,
        Generator,
        Material,
        Request,
        Setting,
    )
    from driftgate.finetune.synthesis.generators.model import with_schema
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ASKS",
    "FILTERS",
    "GENERATORS",
    "Candidate",
    "CoverageDataset",
    "DocumentsSource",
    "Dropped",
    "ExamplesSource",
    "Filter",
    "Generated",
    "Generator",
    "Material",
    "Persona",
    "QuestionsSource",
    "Request",
    "Setting",
    "SynthesisConfig",
    "TemplatesSource",
    "as_sample",
    "as_samples",
    "built_in_personas",
    "lineage_of",
    "read_materials",
    "record_dataset",
    "recorded_lineage",
    "report_of",
    "synthesize",
    "try_source",
    "with_schema",
    "write_dataset",
]
