"""The text of a file, in the encoding that was set for it or that it declares by a byte order mark."""

from __future__ import annotations

import codecs
from pathlib import Path

from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import well_formed

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins as the mark of UTF-16 does, so it is looked for first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
_NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet (.xlsx) or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Office file (.xls)",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip archive",
    b"SQLite format 3": "an SQLite database",
    b"%PDF-": "a PDF",
}
_EXPORT = "save it as CSV in UTF-8 from the program that wrote it, or give the file its own name and kind"
_UTF8 = "utf-8"
_SAVE = "save the file as UTF-8"


def known_encoding(name: str) -> str:
    """The name as it was given, if it is an encoding of text.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> known_encoding("CP949")
    'CP949'
    """
    try:
        "".encode(name)  # a codec that is no encoding of text, such as base64, is refused here too
    except (LookupError, ValueError):
        raise ValueError(f"'{name}' is no encoding; for example utf-8, cp949, euc-kr or utf-16") from None
    return name


def decode(path: Path, raw: bytes, encoding: str | None = None, *, settable: bool = False) -> str:
    """The text of a file's bytes, without a byte order mark and well-formed; see :mod:`driftgate.flows.text`.

    Parameters
    ----------
    encoding : str, optional
        Where it is not given, UTF-8, or what a byte order mark declares.
    settable : bool
        Whether the encoding can be set, for the remedy.

    Raises
    ------
    DriftgateError
        The bytes are not in that encoding, or are plainly in another; the line and the likely encoding are named.
    """
    if kind := next((kind for begins, kind in _NO_TEXT.items() if raw.startswith(begins)), ""):
        raise DriftgateError(f"{path} is {kind} and no text, whatever its name says", _EXPORT)
    declared = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), None)
    wanted = encoding or declared or _UTF8
    if encoding is not None:
        _check_not_another(path, raw, encoding, declared)
    family = codecs.lookup(wanted).name
    try:
        text = raw.decode(wanted)
    except UnicodeError as problem:
        try:
            # JavaScript and Java write half a character where they cut a text, and halves one by one.
            text = well_formed(raw.decode(wanted, "surrogatepass"))
        except UnicodeError:
            raise _undecodable(path, raw, wanted, getattr(problem, "start", 0), settable) from None
    if "\x00" in text and (likely := _without_mark(raw)) and not family.startswith(("utf-16", "utf-32")):
        raise DriftgateError(f"{path} looks like {likely.upper()} without a byte order mark", _remedy(likely, settable))
    return text.removeprefix("\ufeff")


def _check_not_another(path: Path, raw: bytes, encoding: str, declared: str | None) -> None:
    family = codecs.lookup(encoding).name
    if declared is not None and not family.replace("-sig", "").startswith(declared):
        raise DriftgateError(
            f"{path} begins with the byte order mark of {declared.upper()}, though encoding is {encoding}",
            "leave encoding out",
        )
    swapped = {codecs.BOM_UTF16_LE: "utf-16-be", codecs.BOM_UTF16_BE: "utf-16-le"}.get(raw[:2])
    if swapped == family:
        raise DriftgateError(f"{path} has the byte order mark of the other order than {encoding}", "leave encoding out")
    if family.startswith("utf-16-") and (likely := _without_mark(raw)) and likely != family:
        raise DriftgateError(f"{path} looks like {likely.upper()}, though encoding is {encoding}", f"write {likely}")
    try:
        text = raw.decode(_UTF8)
    except UnicodeDecodeError:
        return
    if family.startswith(("utf-16", "utf-32")):
        is_utf8 = bool(raw) and b"\x00" not in raw  # a comma, a quote or a line break in these has a NUL
    else:
        # Korean in UTF-8 can often be decoded as CP949, into nonsense; the reverse does not happen: a text in CP949
        # that is also valid UTF-8 holds no character beyond U+07FF there.
        is_utf8 = not family.startswith("utf-") and any(ord(character) > 0x07FF for character in set(text))
    if is_utf8:
        raise DriftgateError(f"{path} is UTF-8, though encoding is {encoding}", "leave encoding out")


def _undecodable(path: Path, raw: bytes, wanted: str, place: int, settable: bool) -> DriftgateError:
    line = raw[:place].decode(wanted, "replace").count("\n") + 1
    found = f"{path} line {line} is not {wanted.upper()}"
    likely = _likely(raw, wanted, place)
    if not likely:
        others = f"name its encoding, for example encoding: cp949, or {_SAVE}" if settable else _SAVE
        return DriftgateError(found, others)
    return DriftgateError(f"{found}; it looks like {likely.upper()}", _remedy(likely, settable))


def _remedy(likely: str, settable: bool) -> str:
    if not settable:
        return _SAVE
    return "leave encoding out" if likely == _UTF8 else f"write encoding: {likely}, or {_SAVE}"


def _likely(raw: bytes, wanted: str, place: int) -> str:
    """The encoding that the bytes are most likely in; empty where they do not say."""
    family = codecs.lookup(wanted).name
    if family.startswith(_UTF8):
        if not raw[:place].isascii() or _is_korean(raw, _UTF8, "ignore"):
            return ""  # UTF-8 up to here, or all around it: damaged, not of another encoding
        return _without_mark(raw) or ("cp949" if _is_korean(raw, "cp949") else "")
    for other in (_UTF8, "cp949"):
        if other != family and _is_korean(raw, other):
            return other
    return ""


def _is_korean(raw: bytes, encoding: str, errors: str = "strict") -> bool:
    """Whether the bytes are text of that encoding, and most of what is not ASCII in it is Hangul."""
    try:
        foreign = [character for character in raw.decode(encoding, errors) if not character.isascii()]
    except UnicodeDecodeError:
        return False
    return 2 * sum("가" <= character <= "힣" for character in foreign) > len(foreign)


def _without_mark(raw: bytes) -> str:
    """UTF-16 by its NULs: every second byte of the ASCII characters in it."""
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    for name, many, few in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if many > max(4 * few, 3, len(raw) // 32):  # a header alone has more; a text may hold a NUL or two
            try:
                raw.decode(name)
            except UnicodeDecodeError:
                continue
            return name
    return ""
