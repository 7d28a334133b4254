"""Canary strings: made up, planted in the sources, and looked for in whatever is made from them.

Carlini et al., The Secret Sharer, 2019, https://arxiv.org/abs/1802.08232.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

from driftgate.finetune._markup import without_markup

_LETTERS = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허"


def make_canaries(count: int, seed: int) -> list[str]:
    """Sentences that stand nowhere else, each with a random code.

    Examples
    --------
    >>> make_canaries(2, seed=1)
    ['내부 확인 문구 마머허-2033 자라너-8364', '내부 확인 문구 너서파-4439 라너가-7386']
    """
    rng = random.Random(seed)

    def code() -> str:
        return "".join(rng.choice(_LETTERS) for _ in range(3)) + f"-{rng.randint(1000, 9999)}"

    return [f"내부 확인 문구 {code()} {code()}" for _ in range(count)]


def canaries_in(texts: Sequence[str], canaries: Sequence[str]) -> list[int]:
    """Places of the canaries that stand in a text, however they are spaced, hyphenated, cased or marked up.

    Examples
    --------
    >>> canaries_in(["문구는 서파너 5736하자어9187 이다"], ["서파너-5736 하자어-9187", "퍼아버-3825"])
    [0]
    """
    whole = "\0".join(_letters(form) for text in texts for form in dict.fromkeys((text, without_markup(text))))
    return [place for place, canary in enumerate(canaries) if (bare := _letters(canary)) and bare in whole]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).lower()
