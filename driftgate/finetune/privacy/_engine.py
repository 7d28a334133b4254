"""Presidio's analyzer with pattern recognisers only: no language model, no download, no name resolution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import regex
from presidio_analyzer import (
    AnalyzerEngine,
    ContextAwareEnhancer,
    EntityRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from driftgate.finetune.privacy._rule import Rule

LANGUAGE = "ko"
SURE, UNSURE, SUPPORTED, THRESHOLD = 0.6, 0.3, 0.8, 0.5
_BEFORE, _AFTER, _RIGHT_BEFORE = 24, 12, 14


class _NoLanguageModel(NlpEngine):
    """Gives the analyzer empty artifacts; rules read the words around a value themselves."""

    def load(self) -> None:
        """There is nothing to load."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return NlpArtifacts([], [], [], [], self, language)  # type: ignore[arg-type]  # an empty list for a spaCy Doc

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **kwargs: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        return False

    def is_punct(self, word: str, language: str) -> bool:
        return False

    def get_supported_entities(self) -> list[str]:
        return []

    def get_supported_languages(self) -> list[str]:
        return [LANGUAGE]


class _NoLemmas(ContextAwareEnhancer):
    """Leaves results as they are; presidio's own enhancer copies each one deeply and looks for lemmas in vain."""

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        return raw_results


class RuleRecognizer(PatternRecognizer):
    """A rule as one of presidio's recognisers."""

    def __init__(self, rule: Rule) -> None:
        patterns = [Pattern(rule.kind, pattern, SURE) for pattern in rule.sure]
        patterns += [Pattern(f"{rule.kind} in context", pattern, UNSURE) for pattern in rule.in_context]
        # The flag has to be the recogniser's own: one that is given to the engine's analyze() does not reach it.
        super().__init__(rule.kind, supported_language=LANGUAGE, patterns=patterns, global_regex_flags=int(regex.ASCII))
        self._check, self._proves = rule.check, rule.proves
        self._supports = regex.compile(rule.context) if rule.context else None
        self._contradicts = regex.compile(rule.against) if rule.against else None

    def validate_result(self, pattern_text: str) -> bool | None:
        """True where the value proves itself, False where it cannot be one."""
        verdict = self._check(pattern_text) if self._check else None
        return verdict if verdict is False or self._proves else None

    def enhance_using_context(
        self,
        text: str,
        raw_recognizer_results: list[RecognizerResult],
        other_raw_recognizer_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Raise what the words around it support, and drop what the words before it contradict."""
        kept = []
        for result in raw_recognizer_results:
            proven = result.score >= self.MAX_SCORE
            before = text[max(result.start - _RIGHT_BEFORE, 0) : result.start]
            if not proven and self._contradicts is not None and self._contradicts.search(before):
                continue
            around = f"{text[max(result.start - _BEFORE, 0) : result.start]}\n{text[result.end : result.end + _AFTER]}"
            if not proven and self._supports is not None and self._supports.search(around):
                result.score = SUPPORTED
            kept.append(result)
        return kept


class FinderRecognizer(EntityRecognizer):
    """A rule's finder as one of presidio's recognisers."""

    def __init__(self, rule: Rule) -> None:
        super().__init__([rule.kind], supported_language=LANGUAGE)
        self._kind, self._finder = rule.kind, rule.finder

    def load(self) -> None:
        """There is nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """What the finder finds."""
        found = self._finder(text) if self._finder is not None else ()
        return [RecognizerResult(self._kind, start, end, score) for start, end, score in found]


def _recognizers(rule: Rule) -> list[EntityRecognizer]:
    patterned = [RuleRecognizer(rule)] if rule.sure or rule.in_context else []
    return [*patterned, FinderRecognizer(rule)] if rule.finder is not None else [*patterned]


@cache
def engine(rules: tuple[Rule, ...]) -> AnalyzerEngine:
    """The analyzer of a set of rules, built once."""
    registry = RecognizerRegistry([one for rule in rules for one in _recognizers(rule)], supported_languages=[LANGUAGE])
    enhancer = _NoLemmas(0.0, 0.0, 0, 0)
    return AnalyzerEngine(registry, _NoLanguageModel(), supported_languages=[LANGUAGE], context_aware_enhancer=enhancer)


def find(text: str, rules: tuple[Rule, ...]) -> list[RecognizerResult]:
    """What the rules find, without overlaps: the likelier value first, then the longer one."""
    found = engine(rules).analyze(text, LANGUAGE, score_threshold=THRESHOLD)
    chosen: list[RecognizerResult] = []
    for result in sorted(found, key=lambda r: (-r.score, r.start - r.end, r.start)):
        if all(result.end <= other.start or other.end <= result.start for other in chosen):
            chosen.append(result)
    return sorted(chosen, key=lambda r: r.start)
