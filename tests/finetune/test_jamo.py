from __future__ import annotations

import unicodedata
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftgate.finetune._jamo import hashed_ngrams, jamo, plain

TEXTS = st.lists(
    st.text(st.sampled_from("가각힣값은는 aA1①.,-+\u1100\u1161") | st.characters(), max_size=12), max_size=6
)


def test_what_is_not_seen_is_no_letter():
    assert plain("\u3164".join("산이 높다")) == plain("산이 높다") == "산이높다"


@given(TEXTS, st.integers(1, 7))
def test_equal_ngrams_have_equal_hashes_and_each_text_its_own_count(texts, length):
    rows, hashes = hashed_ngrams(texts, length)
    hash_of: dict[str, set[int]] = defaultdict(set)
    for place, text in enumerate(texts):
        letters = jamo(text)
        grams = [letters[s : s + length] for s in range(len(letters) - length + 1)] or ([letters] if letters else [])
        own = hashes[rows == place].tolist()
        assert len(own) == len(grams)
        for gram, value in zip(grams, own, strict=True):
            hash_of[gram].add(value)
    assert all(len(values) == 1 for values in hash_of.values())


def test_different_ngrams_rarely_share_a_hash():
    texts = [f"{number:06}번" for number in range(20_000)]
    _, hashes = hashed_ngrams(texts, 8)
    assert len(np.unique(hashes)) > 0.998 * len({jamo(text)[:8] for text in texts})  # 2**24 values, 20,000 drawn


@given(st.text())
def test_plain_text_is_stable_under_unicode_forms(text):
    assert plain(unicodedata.normalize("NFD", text)) == plain(unicodedata.normalize("NFC", text))


def test_spaces_case_width_and_punctuation_do_not_count():
    assert plain("조선의, 왕은 ＡＢＣ?") == plain("조선의왕은 abc")
    assert plain("x+3=7") != plain("x3=7")
