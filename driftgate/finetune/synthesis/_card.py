"""A data card: what a set is, what it was made from, and what is known against it.

After the dataset cards of the Hugging Face hub, whose header it has, and Gebru et al. 2021, Datasheets for Datasets.
"""

from __future__ import annotations

from collections import Counter

from driftgate.finetune.privacy import redact
from driftgate.finetune.synthesis._coverage import CoverageDataset
from driftgate.finetune.synthesis._diversity import diversity

_SHOWN = 12


def card_of(dataset: CoverageDataset, name: str = "") -> str:
    """The card of a set in Markdown; it holds no item and no text of the material."""
    items, figures, name = dataset.items, diversity(dataset.items), redact(name).text
    size = "n<1K" if len(items) < 1_000 else "1K<n<10K" if len(items) < 10_000 else "10K<n<100K"
    header = ["---", f"pretty_name: {_plain(name) or 'synthetic set'}", "tags: [synthetic]", "size_categories:"]
    lines = [*header, f"- {size}", "---", "", f"# {_plain(name) or 'Synthetic set'}", ""]
    lines += [
        f"{len(items):,} items, made by driftgate from {len(dataset.materials):,} pieces of material (seed "
        f"{dataset.seed}, configuration {dataset.config_hash}).",
        "",
        "## How it was made",
        "",
    ]
    made = Counter((item.generator, item.generator_version, item.model) for item in items)
    for (generator, version, model), count in sorted(made.items()):
        lines.append(
            f"- generator `{generator}` {version}{f', model `{_plain(model)}`' if model else ''}: {count:,} items"
        )
    spent = dataset.spent
    cost = "unknown" if spent.cost is None else f"{spent.cost:.4f} {spent.currency}".strip()
    why = f": {_plain(spent.reached)}" if spent.reached else ""
    if spent.calls or spent.unasked:
        lines.append(f"- {spent.calls:,} requests, cost {cost}; {spent.unasked:,} not made{why}")
    lines += [f"- {dataset.redactions:,} values of personal data were taken out of the material before it was used", ""]
    lines += [
        "## What was left out",
        "",
        f"{dataset.generated:,} candidates and replies, of which the filters dropped:",
        "",
    ]
    for dropped in dataset.dropped:
        lines.append(f"- `{dropped.filter}` {dropped.version}: {dropped.count:,}")
    kinds = Counter(reject.kind for reject in dataset.rejects if reject.filter == "reply")
    if kinds:
        told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
        lines.append(f"- among these, replies that were no item: {told}")
    lines += ["", "## What it covers", ""]
    if dataset.coverage is not None:
        there = Counter(item.cluster for item in items)
        lines += ["| cluster | words | material | failing | wanted | items |", "|---|---|---:|---:|---:|---:|"]
        for cluster in dataset.coverage.clusters:
            words = _plain(", ".join(cluster.keywords))
            lines.append(
                f"| {cluster.name} | {words} | {cluster.materials} | {cluster.failing} | {cluster.share:.2f} | "
                f"{there[cluster.name]} |"
            )
    for slice, count in Counter(item.slice for item in items).most_common(_SHOWN):
        lines.append(f"- slice {_plain(slice) or '(none)'}: {count:,}")
    lines += [
        "",
        "## Figures",
        "",
        f"- different facts: {figures.facts:,} in {figures.compared:,} items",
        f"- likeness to the nearest item: {figures.likeness:.2f}",
        "- different words, pairs, triples: "
        f"{figures.distinct_1:.2f}, {figures.distinct_2:.2f}, {figures.distinct_3:.2f}",
        f"- files that were not read: {len(dataset.unread):,}",
        "",
        "## Use",
        "",
        "The rights to the material, and the terms of the models that wrote, hold for the set as well. What is",
        "measured with (datasets of the workspace, canaries, hold-outs) was kept out by the filter `firewall`.",
        "",
    ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """A name in one line that is no markup."""
    return " ".join("".join(c if c.isprintable() and c not in "|`<>[]*_#" else " " for c in text).split())
