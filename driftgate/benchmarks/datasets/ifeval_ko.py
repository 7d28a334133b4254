"""IFEval-Ko: prompts whose instructions about the form of the reply a program can check.

Instruction-Following Evaluation for Large Language Models, Zhou et al. 2023, arXiv:2311.07911; IFEval-Ko is its Korean
edition by Allganize (342 prompts, one split ``train``), without the instructions about capitals and Latin letters.

Layout: Parquet, JSON Lines or JSON with ``key, prompt, instruction_id_list, kwargs``: a list of ids such as
``punctuation:no_comma``, and beside it a list of objects with their parameters, the others null. Read off the
repository's card; tried on a small file of our own in that layout, not on upstream's. IFEval's own file and SNU's
Ko-IFEval share it; the latter has instructions that no check here knows, and is refused by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetKind
from driftgate.benchmarks.datasets._rows import Row, describe
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, choose_categories, first_rows
from driftgate.flows.errors import DriftgateError
from driftgate.flows.instructions import Instruction
from driftgate.flows.instructions.detectable_format import OPTIONS
from driftgate.flows.sample import Sample, make_sample, told_apart

_FILES = ("*ifeval*", "*train*", "*test*")


class IfevalKoConfig(UpstreamConfig):
    """IFEval-Ko."""

    kind: Literal["ifeval_ko"]
    """``ifeval_ko``."""
    hub: str = "allganize/IFEval-Ko"
    """Dataset repository on the Hugging Face Hub."""


def load(name: str, config: IfevalKoConfig, folder: Path) -> Dataset:
    """Read IFEval-Ko; see :mod:`driftgate.benchmarks.datasets.ifeval_ko` for the layout.

    A prompt's category is the family of its only instruction, or ``several``.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such file, or a row is malformed or has an instruction that no check knows.
    """
    rows, source = first_rows(name, config, folder, _FILES, "train-00000-of-00001.parquet or its like")
    samples = told_apart(_sample(row, position) for position, row in enumerate(rows))
    chosen = choose_categories(name, config.categories, (sample.category for sample in samples))
    kept = [sample for sample in samples if sample.category in chosen]
    return Dataset(name, kept, licence="Apache-2.0", source=source)


def _sample(row: Row, position: int) -> Sample:
    prompt = row.text("prompt")
    instructions = _instructions(row, prompt)
    families = {each["id"].partition(":")[0] for each in instructions}
    return make_sample(
        "ifeval_ko",
        "test",
        position,
        {"question": prompt, "instructions": instructions},
        id=row.text("key") if "key" in row.values else "",
        category=families.pop() if len(families) == 1 else "several",
        super_category="instructions",
    )


def _instructions(row: Row, prompt: str) -> list[dict[str, Any]]:
    ids, parameters = row.get("instruction_id_list"), row.get("kwargs")
    for column, value in (("instruction_id_list", ids), ("kwargs", parameters)):
        if not isinstance(value, list):
            raise row.wrong(
                f"has {describe(value)} in column '{column}' where a list is expected", "write it as a list"
            )
    if not ids or len(ids) != len(parameters):
        raise row.wrong(f"has {len(ids)} instructions and {len(parameters)} sets of parameters", "give one for each")
    found = []
    for id, given in zip(ids, parameters, strict=True):
        if not isinstance(id, str) or not isinstance(given, Mapping):
            raise row.wrong(f"has {describe(given)} for the instruction '{id}'", "write an id, and an object for each")
        try:
            instruction = Instruction.read(id, given)
        except DriftgateError as problem:
            raise row.wrong(f"has an instruction that cannot be checked: {problem.message}", problem.remedy) from None
        options = [option for option in OPTIONS if option in prompt]
        more = {"options": options} if id == "detectable_format:constrained_response" and options else {}
        found.append({"id": id, "parameters": {**instruction.parameters, **more}})
    return found


KIND = DatasetKind(IfevalKoConfig, load)
