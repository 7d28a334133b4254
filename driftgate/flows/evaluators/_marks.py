"""Citation marks in the styles that models write them, told from indices, years, lists, links and other brackets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

from driftgate.flows.thinking import without_thinking

_FENCED = re.compile(r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"^[ \t]*\[\^?[^\]\n]{1,40}\]:.*$", re.MULTILINE)
_SOURCE = (
    r"(?:출처|근거|참고|참조|문서|문헌|자료|인용|각주|단락|구절|지문|본문|조각|검색 ?결과|sources?|documents?|docs?"
    r"|refs?|references?|passages?|citations?|chunks?|footnotes?)"
)
_BRACKETED = ("[]", "【】", "〔〕", "〖〗", "〚〛", "［］", "⟦⟧", "「」")
_SQUARE = re.compile(
    "|".join(f"{re.escape(pair[0])}([^{re.escape(pair)}\n]{{1,80}}){re.escape(pair[1])}" for pair in _BRACKETED)
)
_ROUND = re.compile(r"[(（]([^()（）#\n][^()（）\n]{0,79})[)）]")
_ANGLE = re.compile(rf"[<〈＜《]\s?((?:{_SOURCE}\s?)?#?\d{{1,3}}(?:\s?[,，]\s?\d{{1,3}})*)\s?[>〉＞》]", re.IGNORECASE)
_RAISED = re.compile(
    r"(?<![A-Za-z0-9²³^/])[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?:\s?[,˒⁾⁽·]\s?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)*|\^(\d{1,3})\^|<sup>([^<]{1,30})</sup>"
)
_CIRCLED = re.compile(r"(?<=[.!?。다요음임])\s?([①-⑳](?:\s?,?\s?[①-⑳])*)(?=\s|$|[.,])")
_CITE = re.compile(r"\\cite[tp]?\{([^{}\n]{1,80})\}")
_NAMED = re.compile(
    r"(?:^|(?<=[\s.!?。,]))(?:출처|근거|참고 ?자료|참고 ?문헌|참고|참조|sources?|references?|ref)\s?[:：=]\s*"
    r"([^\n.]{1,80}(?:\.[a-z]{2,5})?(?:[,，]\s?[^\s,]+)*)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"^\s*[\^@#*]*\s*(?:{_SOURCE}\s*(?:번호|id|no\.?|#)?\s*[:：.#-]?\s*){{0,2}}(?P<id>.*?)\s*(?:번?\s*(?:참조|참고|인용|문서|자료|문헌|번|단락))?\s*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:[,，、;；·&]|\s및\s|\s와\s|\s과\s|\sand\s)\s*")
_SPAN = re.compile(r"(?P<a>[^\d\s]*?)(?P<b>\d{1,4})\s*(?:-|–|—|~|〜|∼|부터|to)\s*(?P=a)?(?P<e>\d{1,4})")
_NUMBER = re.compile(r"\d{1,3}")
_FILE = re.compile(
    r"[\w가-힣 /-]{1,60}\.(?:md|txt|pdf|html?|docx?|hwpx?|csv|json|xlsx?|pptx?|ya?ml)(?:#\S+)?", re.IGNORECASE
)
_CODED = re.compile(r"(?=[^\s]*\d)[A-Za-z가-힣]+[-_]?[\w-]*\d[\w-]*")
_OTHER = re.compile(
    r"표|그림|별표|별지|부록|도표|사진|수식|식|table|figure|fig|주의|예시|예|참고|중요|경고|note|x|todo|답|정답|질문",
    re.IGNORECASE,
)
_LISTS = re.compile(
    r"(?:배열|리스트|목록|구간|범위|벡터|행렬|집합|좌표|튜플|인덱스|list|array|range|interval|vector|=|:|∈|return)\s*$",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"\s*(?:배열|리스트|구간|범위|벡터|행렬|집합|좌표|튜플|에서 (?:연속|정의|미분|증가|감소))|\s*(?:=|\[|\.[a-z_]+\()"
)
_INDEXED = re.compile(r"[A-Za-z_][\w.]*(?=(?:\[[^\[\]]{0,20}\]){0,3}$)", re.ASCII)
_COUNTED = re.compile(
    r"(?:개|명|년|월|일|번(?!\s?문서)|회|위|장|항|조|점|원|%|세|호|차|시|분|초)"
    r"(?:(?![가-힣])|(?=이|을|를|은|는|의|가|에|로|까지|만|씩|째|간|마다|부터|도|과|와))"
)
_RATIO = re.compile(r"\d+:\d")
_ARTICLE = re.compile(r"\d(?:조|항|호|장|절)\s?$")
_MOST = 100
"""Passages of one range."""


class Mark(NamedTuple):
    """A mark of an answer."""

    begin: int
    end: int
    ids: tuple[str, ...]
    """As the passages name them where they do; else as they stand."""


def shown(answer: str) -> str:
    """An answer without thoughts, code and the notes at its end, in which nothing is cited."""
    said = unicodedata.normalize("NFC", without_thinking(answer) or "")
    return _NOTE.sub("", _FENCED.sub(lambda m: " " * len(m[0]), said))


def marks(text: str, known: Collection[str]) -> list[Mark]:
    """The citation marks of a text, in their order.

    Parameters
    ----------
    text : str
        An answer as :func:`shown`.
    known : collection of str
        The ids of the passages. What stands in round or pointed brackets, raised or behind ``출처:`` is a mark where it
        names one of them; what stands in square brackets also where it only looks like an id.

    Examples
    --------
    >>> [mark.ids for mark in marks("15일이다 [1, 3-4]. 주 2회다【2】. arr[1]은 값이다.", ["1", "2"])]
    [('1', '3', '4'), ('2',)]
    """
    names = {_folded(name): name for name in known}
    found: list[Mark] = []
    for pattern, open_ended in ((_SQUARE, True), (_CITE, True), (_ROUND, False), (_ANGLE, False), (_RAISED, False)):
        for match in pattern.finditer(text):
            content = next((group for group in match.groups() if group), match[0])
            if pattern is _RAISED:
                content = unicodedata.normalize("NFKC", content)
            ids = _ids(content, names, open_ended)
            if ids and not (pattern in (_SQUARE, _ROUND) and _other(text, match, ids, names)):
                found.append(Mark(match.start(), match.end(), ids))
    for match in _CIRCLED.finditer(text):
        numbers = re.findall("[①-⑳]", match[1])
        if ids := _ids(",".join(unicodedata.normalize("NFKC", one) for one in numbers), names, False):
            found.append(Mark(match.start(1), match.end(), ids))
    for match in _NAMED.finditer(text):
        if ids := _ids(match[1].strip(" []()"), names, False):
            found.append(Mark(match.start(), match.end(), ids))
    apart: list[Mark] = []
    for mark in sorted(found):
        if not apart or mark.begin >= apart[-1].end:
            apart.append(mark)
    return apart


def without_marks(answer: str, known: Collection[str]) -> str:
    """An answer as :func:`shown`, without its marks.

    Examples
    --------
    >>> without_marks("15일이다 [1].", ["1"])
    '15일이다  .'
    """
    text = shown(answer)
    return without(text, marks(text, known))


def without(text: str, found: Sequence[Mark]) -> str:
    """A text with a space in the place of each of its marks, which stand apart and in their order."""
    ends = [0, *(mark.end for mark in found)]
    begins = [*(mark.begin for mark in found), len(text)]
    return " ".join(text[end:begin] for end, begin in zip(ends, begins, strict=True))


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _ids(content: str, names: dict[str, str], open_ended: bool) -> tuple[str, ...]:
    """The ids that brackets hold; none where they hold something else."""
    content = content.split("†")[-1] if _folded(content.split("†")[-1]) in names else content.split("†")[0]
    if _folded(content) in names:
        return (names[_folded(content)],)
    found: list[str] = []
    for part in _BETWEEN.split(content):
        one = _named(part, names)
        if not one and (span := _SPAN.fullmatch(_bare(part))):
            low, high = int(span["b"]), int(span["e"])
            if low < high <= low + _MOST and high < 1000:
                found += [names.get(f"{_folded(span['a'])}{n}", f"{span['a']}{n}") for n in range(low, high + 1)]
                continue
        if not one:
            one = _likely(part, names)
        if not one:
            return ()
        found.append(one)
    return tuple(dict.fromkeys(found)) if open_ended or any(_folded(one) in names for one in found) else ()


def _bare(part: str) -> str:
    labelled = _LABEL.match(part)
    return labelled["id"] if labelled else part.strip()


def _named(part: str, names: dict[str, str]) -> str | None:
    """The passage that a part of a mark names, by its id or with a word for a source."""
    for form in (part, _bare(part), part.strip(" ^@#*")):
        folded = _folded(form)
        if _RATIO.match(folded):
            continue
        for tried in (folded, folded.replace(" ", ""), folded.split("#")[0].split(":")[0]):
            if tried and tried in names:
                return names[tried]
    return None


def _likely(part: str, names: dict[str, str]) -> str | None:
    """An id that no passage has, where a part of a mark looks like one."""
    bare = _bare(part).strip()
    labelled = bool(bare) and bare != part.strip(" ^@#*")
    if not bare or (_OTHER.match(bare) and not _FILE.fullmatch(bare)):
        return None
    if _NUMBER.fullmatch(bare):
        return bare if int(bare) else None
    if _FILE.fullmatch(bare) or (labelled and len(bare) <= 40):
        return bare
    worded = not any(re.search(r"\d", name) for name in names)
    if _CODED.fullmatch(bare):
        return bare
    return bare if worded and names and len(bare) <= 40 and re.fullmatch(r"[\w가-힣 -]+", bare) else None


def _other(text: str, match: re.Match[str], ids: Sequence[str], names: dict[str, str]) -> bool:
    """Whether brackets are an index, an interval, a list's number, a link's text or a year."""
    before, behind = text[max(0, match.start() - 80) : match.start()], text[match.end() : match.end() + 80]
    link = behind.startswith("(") and not behind.startswith("(#")
    if link and not all(_folded(one) in names for one in ids):
        return True
    plain = all(_NUMBER.fullmatch(one) for one in ids)
    if not plain:
        return False
    if match[0][0] in "(（":
        if _ARTICLE.search(before):
            return True
        starts = not before.strip() or re.search(r"(?:^|\n|[.!?。:,;]\s)[ \t]*$", before) is not None
        return starts and re.match(r"\s*[\w가-힣]", behind) is not None
    if _COUNTED.match(behind):
        return True
    if len(ids) > 1 and (_LISTS.search(before[-12:]) or _LISTED.match(behind)):
        return True
    indexed = _INDEXED.search(before)
    if indexed is None:
        return _LISTS.search(before[-12:]) is not None and _LISTED.match(behind) is not None
    korean = re.search("[가-힣]", text[max(0, match.start() - 60) : match.end() + 60]) is not None
    code = re.match(r"\s*[=\[(+*/<>-]|\.[a-z_]", behind) is not None
    word = indexed[0]
    return code or "_" in word or "." in word or (korean and word.islower()) or len(word) == 1
