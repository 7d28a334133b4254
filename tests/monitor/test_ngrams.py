"""What is kept of a text, and that it is read again whichever version kept it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.monitor.ngrams import BUCKETS, NGrams, counts, is_valid, ngrams, ngrams_of, version_of


def test_forms_of_a_character_fall_together_and_texts_are_told_apart() -> None:
    assert ngrams("ＡＢＣ서울") == ngrams("abc서울") == ngrams("abc" + "서울")
    assert ngrams("서울의 수도는?") != ngrams("부산의 수도는?")


@given(st.text(max_size=300))
def test_what_is_kept_of_any_text_is_read_again(text: str) -> None:
    kept = ngrams(text)
    assert is_valid(list(kept)) and version_of(kept) == 2
    assert sorted(kept[1:]) == list(kept[1:])
    (row,) = counts([np.array(kept, dtype=np.int32)]).toarray()
    assert row.sum() == sum(code % 2**16 for code in kept[1:])
    assert bool(row.any()) == bool(text)


def test_a_text_however_long_is_kept_in_bounds() -> None:
    rng = np.random.default_rng(0)
    kept = ngrams("".join(map(chr, rng.integers(0xAC00, 0xD7A3, 200_000))) + "가나" * 100_000)
    assert len(kept) == BUCKETS + 1 and max(kept) < 2**31
    assert counts([kept]).max() == 2**16 - 1


@given(st.lists(st.text(max_size=60), max_size=12))
def test_many_texts_at_once_are_kept_as_one_by_one(texts: list[str]) -> None:
    many = ngrams_of(texts)
    assert many == [ngrams(text) for text in texts]
    assert all(
        ngrams(text) == kept and list(kept) == list(ngrams(text)) for text, kept in zip(texts, many, strict=True)
    )
    if texts:
        assert np.array_equal(counts(many).toarray(), counts([ngrams(text) for text in texts]).toarray())


@pytest.mark.parametrize("size", [2**16 - 1, 2**16, 2**16 + 1, 2**16 + 3, 2**17 + 2])
def test_a_long_text_is_counted_as_its_pieces_are(size: int) -> None:
    text = "환불은 며칠 걸리나요? Refunds take three days. " * (size // 40 + 1)
    whole = counts([ngrams(text[:size])]).toarray()[0]
    assert ngrams_of(["a", text[:size], ""])[1] == ngrams(text[:size])
    # Each n-gram begins in one of two halves; those that begin at the end of the first reach into the second.
    half = size // 2
    parts = [ngrams(part) for part in (text[:half], text[half:size], text[half - 2 : half])]
    first, second, seam = counts(parts).toarray()
    across, after = counts([ngrams(text[half - 2 : half + 2]), ngrams(text[half : half + 2])]).toarray()
    inner = across - after
    assert np.array_equal(np.minimum(first - seam + inner + second, 2**16 - 1), whole)


def test_what_is_kept_of_many_is_a_sequence_of_numbers() -> None:
    (kept,) = ngrams_of(["서울"])
    same = ngrams("서울")
    assert isinstance(kept, NGrams) and not isinstance(kept, tuple)
    assert kept == same and same == kept and kept == NGrams(kept.data) and kept != (1,) and kept != "x"
    assert (len(kept), kept[0], kept[-1], kept[1:], repr(kept)) == (len(same), same[0], same[-1], same[1:], repr(same))
    assert hash(kept) == hash(same) and np.array(kept).tolist() == list(same)


@pytest.mark.parametrize("text", ["", "가", "a", "\ud800", "a\x00b"])
def test_texts_of_hardly_any_characters_are_kept(text: str) -> None:
    assert is_valid(list(ngrams(text)))


def test_counts_of_the_first_version_are_read_as_they_are() -> None:
    old = list(range(256))
    assert version_of(old) == 1 and is_valid(old)
    assert counts([old, old]).toarray()[1].tolist() == old


@pytest.mark.parametrize(
    "value", [[1], [-3, 5], [-2, 0], [-2, 5, 5], [-2, 2**28 + 1], [2**31] * 256, [-1] * 256, ["a"]]
)
def test_what_no_version_counts_is_refused(value: list[int]) -> None:
    assert not is_valid(value)


def test_versions_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="versions"):
        counts([ngrams("서울"), [1] * 256])
