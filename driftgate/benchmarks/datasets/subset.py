"""A few hundred samples of another dataset whose score predicts the whole's; see `driftgate.benchmarks.subset`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from driftgate.benchmarks.datasets._dataset import Dataset, DatasetConfig, DatasetKind, load_dataset, parse_config
from driftgate.benchmarks.datasets._subset_file import read_subset
from driftgate.flows.errors import DriftgateError
from driftgate.flows.path_settings import READ
from driftgate.flows.text import on_disk


class SubsetConfig(DatasetConfig):
    """Samples of another dataset, by their keys."""

    kind: Literal["subset"]
    """``subset``."""
    of: str | dict[str, Any]
    """The whole: the name of a dataset of the workspace, or a dataset's own settings."""
    path: Annotated[str, READ]
    """File with the keys, relative to the workspace, as ``driftgate dataset subset`` writes it, or
    ``driftgate monitor choose-canaries``."""

    def held_settings(self) -> Mapping[str, DatasetConfig]:
        """The settings of the whole, where they stand here."""
        return {} if isinstance(self.of, str) else {"of": parse_config(self.of)}


def load(name: str, config: SubsetConfig, folder: Path) -> Dataset:
    """Read the whole dataset and keep the chosen samples, in its order; they keep their keys."""
    if isinstance(config.of, str):
        raise DriftgateError(f"dataset '{name}' is a subset of '{config.of}', which is unknown", "name a dataset")
    if config.of.get("kind") == "subset":
        raise DriftgateError(f"dataset '{name}' is a subset of a subset", "set of to the whole dataset")
    plan = read_subset(on_disk(folder / config.path))
    whole = load_dataset(f"{name}.of", parse_config(config.of), folder)
    wanted = {item.key for item in plan.items}
    kept = [sample for sample in whole.samples if sample.key in wanted]
    if len(kept) != len(wanted):
        lost = next(iter(wanted - {sample.key for sample in kept}))
        raise DriftgateError(
            f"{len(wanted) - len(kept)} of the {len(wanted)} samples of dataset '{name}' are not in '{plan.of}' "
            f"(one is {lost})",
            "the whole dataset changed: choose the subset anew with: driftgate dataset subset",
        )
    return Dataset(
        name,
        kept,
        whole.shots,
        licence=whole.licence,
        source=f"{config.path} of {whole.source}",
        stands_for=plan.model_dump(mode="json") if plan.standard_error is not None else None,
    )


KIND = DatasetKind(SubsetConfig, load)
