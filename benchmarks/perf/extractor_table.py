"""Measure the choice extractor on recorded replies: precision and abstention per rule, against hand-made labels.

Run from the project's root, with the recorded runs at ``../shared/data``::

    python -m benchmarks.perf.extractor_table
    python -m benchmarks.perf.extractor_table --draw 150 --seed 4 --sheet /somewhere/sheet.txt   # a new batch to label
    python -m benchmarks.perf.extractor_table --draw 330 --long --seed 13 --sheet ...   # sentences and reasoning alone

``extractor_labels.csv`` beside this file holds, for each labelled reply, where it stands (file, row), the start of its
SHA-256, the letter that a reader finds it settles on (blank: none), the batch, and the stratum it was drawn from with
that stratum's size. The replies themselves are not ours to publish and are read from the data.

``extractor_blind.jsonl``, ``extractor_blind_2.jsonl`` and ``extractor_blind_3.jsonl`` hold 150, 200 and 150 replies of
our own with their choices and labels, written by somebody who had not seen the rules. They are measured too, and alone
with ``--blind``, which needs no recorded data.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from driftgate.flows.extraction import DEFAULT, Extraction, extract_choice, rule_set_id

LABELS = Path(__file__).with_name("extractor_labels.csv")
BLIND = Path(__file__).with_name("extractor_blind.jsonl")
BLIND_2 = Path(__file__).with_name("extractor_blind_2.jsonl")
BLIND_3 = Path(__file__).with_name("extractor_blind_3.jsonl")
LETTERS = "ABCDEFGHIJ"
HELD_BACK = (3, 5)
"""Batches that no rule was made by: read once the rules of the day were frozen. The others served to improve them."""
LONG = (4, 5)
"""Batches drawn from the long answers alone, of more than a letter, and labelled before the extractor read them."""


def main() -> None:
    """Print the tables, or draw a sheet to label."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the recorded data")
    parser.add_argument("--rules", default=DEFAULT, help="rule set to measure, by default %(default)s")
    parser.add_argument("--blind", action="store_true", help="measure the blind batches alone")
    parser.add_argument("--draw", type=int, metavar="N", help="draw about N unlabelled replies instead of measuring")
    parser.add_argument("--long", action="store_true", help="draw from the long answers, of more than a letter, alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="where to write the drawn replies (not into the repository)")
    options = parser.parse_args()
    if options.blind:
        print_blind(options.rules)
        return
    if not (options.data / "recorded").is_dir():
        parser.error(f"found no folder {options.data / 'recorded'}; pass the recorded data with --data")
    replies = read_replies(options.data)
    started = time.perf_counter()
    found = extract_all(replies, options.rules)
    seconds = time.perf_counter() - started
    replies = replies.assign(
        found=[e.answer or "" for e in found], rule=[e.rule for e in found], place=[e.place for e in found]
    )
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str})
    if options.draw:
        if options.sheet is None:
            parser.error("--draw needs --sheet PATH")
        population = replies[replies.long & (replies.response.str.strip().str.len() > 1)] if options.long else replies
        draw(population, labels, options.draw, options.seed, options.sheet)
        return
    rules = rule_set_id(options.rules)
    print(f"Rules `{rules}`, {len(replies):,} replies read in {seconds:.1f} s, {len(labels):,} labelled.\n")
    print_tables(replies, with_labels(replies, labels))
    print_blind(options.rules)


def read_replies(data: Path) -> pd.DataFrame:
    """Every recorded reply with the texts of its question's choices where the question is known."""
    subjects, click = _kmmlu_choices(data / "kmmlu"), _click_choices(data / "click")
    frames = []
    for path in sorted((data / "recorded").glob("*.csv")) + sorted((data / "recorded/long_answers").glob("*.csv")):
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
        choices: list[tuple[str, ...]] = [()] * len(frame)
        if path.name.startswith("[KMMLU]"):
            for subject, rows in frame.groupby("category", sort=False):
                for row, texts in zip(
                    rows.index, _align(list(rows.answer), subjects[_slug(str(subject))]), strict=True
                ):
                    choices[row] = texts
        elif path.name.startswith("[CLIcK]"):
            choices = [click.get((i, a), ()) for i, a in zip(frame.id, frame.answer, strict=True)]
        count = 4 if "KMMLU" in path.name else 5
        part = frame[["response", "pred"]].assign(file=path.name, row=range(len(frame)), count=count)
        part["choices"] = choices
        part["long"] = path.parent.name == "long_answers"
        frames.append(part)
    return pd.concat(frames, ignore_index=True)


def _slug(subject: str) -> str:
    return "-".join(subject.lower().replace("_", " ").replace("-", " ").split())


def _kmmlu_choices(folder: Path) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Gold letter and choice texts of each subject's questions, in the order of its test file."""
    subjects: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for path in (folder / "data").glob("*-test.csv"):
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
        gold = [LETTERS[int(a) - 1] for a in frame.answer]
        texts = [tuple(map(str, row)) for row in zip(frame.A, frame.B, frame.C, frame.D, strict=True)]
        subjects[_slug(path.name.removesuffix("-test.csv"))] = list(zip(gold, texts, strict=True))
    return subjects


def _click_choices(folder: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """Choice texts by id and gold letter; ids that stand for two questions are told apart by the letter or left out."""
    known: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for path in folder.glob("Dataset/*/**/*.json"):
        for item in json.loads(path.read_text(encoding="utf-8")):
            gold = [c.strip() for c in item["choices"]].index(item["answer"].strip())
            known.setdefault((item["id"], LETTERS[gold]), set()).add(tuple(item["choices"]))
    return {where: next(iter(texts)) for where, texts in known.items() if len(texts) == 1}


def _align(gold: list[str], items: list[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[str, ...]]:
    """Choice texts of a subject's recorded rows. Some runs lost whole blocks of ten questions."""
    at = 0
    for start in range(0, len(items), 10):
        block = items[start : start + 10]
        if gold[at : at + len(block)] == [letter for letter, _ in block]:
            yield from (texts for _, texts in block)
            at += len(block)
    if at != len(gold):
        raise ValueError(f"{len(gold)} recorded rows cannot be aligned with {len(items)} questions")


def extract_all(replies: pd.DataFrame, rule_set: str = DEFAULT) -> list[Extraction]:
    """Read every reply."""
    rows = zip(replies.response, replies.choices, replies["count"], strict=True)
    return [extract_choice(text, choices, letters=LETTERS[:count], rule_set=rule_set) for text, choices, count in rows]


def with_labels(replies: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The labelled replies with what the extractor found.

    Raises
    ------
    ValueError
        A labelled reply is missing or is not the text that was labelled.
    """
    both = labels.merge(replies, on=["file", "row"], how="left")
    texts = [None if pd.isna(text) else str(text) for text in both.response]
    stale = [i for i, text in enumerate(texts) if text is None or _sha8(text) != both.sha8[i]]
    if stale:
        raise ValueError(
            f"{len(stale)} labelled replies are missing or have another text than was labelled, the first in "
            f"{both.file[stale[0]]} row {both.row[stale[0]]}: label them again"
        )
    return _judged(both)


def _judged(read: pd.DataFrame) -> pd.DataFrame:
    answered, same = read.found != "", read.found == read.label
    return read.assign(right=answered & same, wrong=answered & ~same, missed=~answered & ~same)


def blind_batch(rule_set: str = DEFAULT, batch: Path = BLIND) -> pd.DataFrame:
    """A blind batch with what a rule set finds in it."""
    cases = pd.DataFrame(map(json.loads, batch.read_text(encoding="utf-8").splitlines()))
    read = zip(cases.reply, cases.choices, strict=True)
    found = [extract_choice(reply, list(choices.values()), rule_set=rule_set) for reply, choices in read]
    labels = cases.label.replace("none", "")
    return _judged(cases.assign(label=labels, found=[e.answer or "" for e in found], rule=[e.rule for e in found]))


def print_blind(rule_set: str) -> None:
    """Print what became of the blind batches, as Markdown, and each reply that is read wrong or needlessly not."""
    files = {"first": BLIND, "second": BLIND_2, "third": BLIND_3}
    batches = {name: blind_batch(rule_set, file) for name, file in files.items()}
    print("\n| blind batch | rules | replies | letters read | wrong | abstained | needlessly |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for name, read in batches.items():
        answers, silent = read[read.found != ""], read[read.found == ""]
        wrong, missed = int(answers.wrong.sum()), int(silent.missed.sum())
        rules = rule_set_id(rule_set)
        print(f"| {name} | `{rules}` | {len(read)} | {len(answers)} | {wrong} | {len(silent)} | {missed} |")
    for read in batches.values():
        for case in read[read.wrong | read.missed].itertuples():
            found, label = str(case.found) or "none", str(case.label) or "none"
            print(f"- {case.id} ({case.kind}): {found} by {case.rule}, labelled {label}")


def _sha8(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _interval(count: float, total: float) -> str:
    low, high = proportion_confint(count, total, method="wilson")
    return f"{100 * low:.1f} to {100 * high:.1f}"


def print_tables(replies: pd.DataFrame, labelled: pd.DataFrame) -> None:
    """Print precision per rule, abstention per reason, and the error rates, as Markdown."""
    size = replies.rule.value_counts()
    answers = labelled[labelled.found != ""].groupby("rule")[["right", "wrong"]].sum()
    print("| rule | replies | labelled | wrong | precision % | 95% Wilson |\n|---|--:|--:|--:|--:|---|")
    for rule in [r for r in size.index if "/" in r]:
        right, wrong = answers.loc[rule] if rule in answers.index else (0, 0)
        n = right + wrong
        precision = f"{100 * right / n:.1f} | {_interval(right, n)}" if n else " | "
        print(f"| `{rule}` | {size[rule]:,} | {n} | {wrong} | {precision} |")
    print("\n| abstained because | replies | labelled | of these, a letter was there | % | 95% Wilson |")
    print("|---|--:|--:|--:|--:|---|")
    reasons = labelled[labelled.found == ""].groupby("rule").missed.agg(["sum", "size"])
    for reason in [r for r in size.index if "/" not in r]:
        missed, n = reasons.loc[reason] if reason in reasons.index else (0, 0)
        share = f"{100 * missed / n:.1f} | {_interval(missed, n)}" if n else " | "
        print(f"| `{reason}` | {size[reason]:,} | {n} | {missed} | {share} |")
    print_places(replies, labelled)
    # One letter that is a choice's is its own reading; sampling it would only hide what the other replies show.
    bare = [len(t) == 1 and t == a for t, a in zip(replies.response.str.strip(), replies.found, strict=True)]
    share = 1 - sum(bare) / len(replies)
    print(f"\n{sum(bare):,} replies are one letter and nothing else; the other {100 * share:.1f}% are:\n")
    columns = (
        "batch",
        "labelled",
        "wrong",
        "% of the sample",
        "95% Wilson",
        "% weighted",
        "% of all replies",
        "missed %",
    )
    print(f"| {' | '.join(columns)} |\n|---|--:|--:|--:|---|--:|--:|--:|")
    rest = labelled[labelled.response.str.strip().str.len() > 1]
    batches = {
        "improving (1, 2, 4)": rest[~rest.batch.isin(HELD_BACK)],
        "held back (3, 5)": rest[rest.batch.isin(HELD_BACK)],
        "all": rest,
    }
    for name, part in batches.items():
        wrong, missed = _weighted(part, "wrong"), _weighted(part, "missed")
        of_sample = f"{100 * part.wrong.mean():.2f} | {_interval(part.wrong.sum(), len(part))}"
        rates = f"{100 * wrong:.3f} | {100 * wrong * share:.4f} | {100 * missed:.2f}"
        print(f"| {name} | {len(part):,} | {part.wrong.sum()} | {of_sample} | {rates} |")
    print_long(labelled)


def print_long(labelled: pd.DataFrame) -> None:
    """Print what became of the long answers alone, as Markdown."""
    print("\n| long answers | labelled | letters read | wrong | % | abstained | needlessly | % |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, batches in {"improving (4)": (4,), "held back (5)": (5,), "all": LONG}.items():
        part = labelled[labelled.batch.isin(batches)]
        answers, silent = part[part.found != ""], part[part.found == ""]
        print(
            f"| {name} | {len(part)} | {len(answers)} | {answers.wrong.sum()} | {100 * answers.wrong.mean():.1f} "
            f"| {len(silent)} | {silent.missed.sum()} | {100 * silent.missed.mean():.1f} |"
        )


def print_places(replies: pd.DataFrame, labelled: pd.DataFrame) -> None:
    """Print for each place how often it decides and abstains, and how often each is right, as Markdown."""
    print("\n| place | replies it decides | it abstains % | labelled answers | wrong | labelled abstentions | missed |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for place in replies.place.value_counts().index.astype(str):
        part, own = replies[replies.place == place], labelled[labelled.place == place]
        answers, silent = own[own.found != ""], own[own.found == ""]
        name = f"`{place}`" if place else "(no place)"
        abstains = 100 * (part.found == "").mean()
        print(
            f"| {name} | {len(part):,} | {abstains:.2f} | {len(answers)} | {int(answers.wrong.sum())} | {len(silent)} "
            f"| {int(silent.missed.sum())} |"
        )


def _weighted(part: pd.DataFrame, what: str) -> float:
    """Share over the population: each reply stands for its stratum's size over the replies drawn from it."""
    drawn = part.groupby(["batch", "stratum"]).row.transform("size")
    weight = part.stratum_size / drawn
    return float((part[what] * weight).sum() / weight.sum())


def draw(replies: pd.DataFrame, labels: pd.DataFrame, wanted: int, seed: int, sheet: Path) -> None:
    """Draw a stratified sample of replies not labelled yet and write what a reader needs, without our answer."""
    length = pd.cut(
        replies.response.str.strip().str.len(), [-1, 1, 12, 60, math.inf], labels=["bare", "short", "mid", "long"]
    )
    pred = replies.pred.where(replies.pred.isin(list(LETTERS)))
    relation = (pred.fillna("") == replies.found).map({True: "same", False: "differ"})
    model = replies.file.str.replace(r"^\[.*?\] |\.csv$", "", regex=True)
    strata = model + ">" + length.astype(str) + ">" + replies.rule + ">" + relation
    sizes = {str(stratum): int(n) for stratum, n in strata.value_counts().items()}
    weight = {
        s: math.log2(1 + n) * (0.05 if ">bare>" in s else 1) * (2 if s.endswith("differ") else 1)
        for s, n in sizes.items()
    }
    each = {s: max(1, round(wanted * w / sum(weight.values()))) for s, w in weight.items()}
    taken = pd.MultiIndex.from_frame(labels[["file", "row"]])
    free = replies.assign(stratum=strata)[~pd.MultiIndex.from_frame(replies[["file", "row"]]).isin(taken)]
    parts = [rows.sample(min(len(rows), each[str(s)]), random_state=seed) for s, rows in free.groupby("stratum")]
    drawn = pd.concat(parts).sample(frac=1, random_state=seed)
    with sheet.open("w", encoding="utf-8") as out:
        for r in drawn.itertuples():
            key = [r.file, r.row, _sha8(str(r.response)), r.stratum, sizes[str(r.stratum)]]
            out.write(
                json.dumps({"key": key, "choices": r.choices, "reply": r.response}, ensure_ascii=False, default=int)
                + "\n"
            )
    print(f"wrote {len(drawn)} replies of {len(parts)} strata to {sheet}")


if __name__ == "__main__":
    main()
