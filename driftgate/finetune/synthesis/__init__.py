"""Synthesis: from a failing slice's raw material to filtered training items with their lineage.

Generators and filters are modules of the packages below this one, or entry points of the groups
``driftgate.finetune.synthesis.generators`` and ``driftgate.finetune.synthesis.filters``.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.finetune.synthesis._asking import Asked, Asker, Reject, Spent
    from driftgate.finetune.synthesis._clusters import Cluster, Coverage
    from driftgate.finetune.synthesis._config import (
        LEAST_ITEMS,
        AcceptanceConfig,
        CoverageConfig,
        DocumentsSource,
        ExamplesSource,
        Persona,
        PersonaSchema,
        PromptsSource,
        QuestionsSource,
        SynthesisConfig,
        TemplatesSource,
    )
    from driftgate.finetune.synthesis._coverage import CoverageDataset, Dropped
    from driftgate.finetune.synthesis._diversity import Diversity, diversity
    from driftgate.finetune.synthesis._evolve import Evolved, evolve
    from driftgate.finetune.synthesis._files import CARD, ITEMS, as_row, read_dataset, write_dataset
    from driftgate.finetune.synthesis._formats import FORMATS, lines_of, split
    from driftgate.finetune.synthesis._lineage import (
        as_sample,
        as_samples,
        lineage_of,
        record_dataset,
        recorded_lineage,
        report_of,
    )
    from driftgate.finetune.synthesis._materials import as_it_is, read_materials, read_prompts
    from driftgate.finetune.synthesis._personas import PersonaFigures, persona_figures, written_out
    from driftgate.finetune.synthesis._synthesize import (
        ASKS,
        Gathered,
        built_in_personas,
        config_hash,
        gather,
        personas_for,
        stand_in,
        synthesize,
        try_source,
    )
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
    from driftgate.finetune.synthesis._verdict import Judgement, Rule, judge_set
    from driftgate.finetune.synthesis.generators.model import with_schema
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ASKS",
    "CARD",
    "FILTERS",
    "FORMATS",
    "GENERATORS",
    "ITEMS",
    "LEAST_ITEMS",
    "AcceptanceConfig",
    "Asked",
    "Asker",
    "Candidate",
    "Cluster",
    "Coverage",
    "CoverageConfig",
    "CoverageDataset",
    "Diversity",
    "DocumentsSource",
    "Dropped",
    "Evolved",
    "ExamplesSource",
    "Filter",
    "Gathered",
    "Generated",
    "Generator",
    "Judgement",
    "Material",
    "Persona",
    "PersonaFigures",
    "PersonaSchema",
    "PromptsSource",
    "QuestionsSource",
    "Reject",
    "Request",
    "Rule",
    "Setting",
    "Spent",
    "SynthesisConfig",
    "TemplatesSource",
    "as_it_is",
    "as_row",
    "as_sample",
    "as_samples",
    "built_in_personas",
    "config_hash",
    "diversity",
    "evolve",
    "gather",
    "judge_set",
    "lineage_of",
    "lines_of",
    "persona_figures",
    "personas_for",
    "read_dataset",
    "read_materials",
    "read_prompts",
    "record_dataset",
    "recorded_lineage",
    "report_of",
    "split",
    "stand_in",
    "synthesize",
    "try_source",
    "with_schema",
    "write_dataset",
    "written_out",
]
