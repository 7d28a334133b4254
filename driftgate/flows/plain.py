"""Text that goes to a terminal or into a build's log: nothing in it is obeyed by either.

What a model, a dataset or a service wrote may hold escape sequences, which a terminal obeys, marks that turn the
direction of text, and commands, which a build system obeys wherever it finds them in a log.

References
----------
.. [1] actions/runner, src/Runner.Common/ActionCommand.cs: ``::`` counts at the beginning of a line, after white space;
   ``##[`` counts anywhere.
.. [2] microsoft/azure-pipelines-agent, src/Microsoft.VisualStudio.Services.Agent/Command.cs: ``##vso[`` counts
   anywhere. Both compare by culture, which overlooks characters that nobody sees: a word joiner between the two ``#``
   would not part them, and a space does.
.. [3] The Unicode Standard, Default_Ignorable_Code_Point: those characters.
"""

from __future__ import annotations

import re
from typing import Any

_SEQUENCE = r"\x1b\[[0-?]*[ -/]*[@-~]"
_SEQUENCES = re.compile(_SEQUENCE)
_BREAK = re.compile("\r\n?")
# Controls but newline and tab; turns of direction; separators of lines; what is not seen; halves of characters.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# Not seen either, and needed: they join and vary what stands beside them.
_UNSEEN = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U0001d173-\U0001d17a\U000e0080-\U000e0fff]"
)
_OVERLOOKED = f"(?:{_UNSEEN}|{_SEQUENCE})*"
_LEFT_OUT = re.compile(f"{_UNSEEN}|{_SEQUENCE}")
_HASHES = re.compile(f"(#{_OVERLOOKED})(?=#)")
_COLONS = re.compile(rf"(?m)((?:^|(?<=\r))(?:[^\S\n]|{_UNSEEN}|{_SEQUENCE})*:{_OVERLOOKED})(?=:)")
STEPS = ((_SEQUENCES, ""), (_BREAK, "\n"), (_OBEYED, " "), (_HASHES, r"\1 "))
"""What :func:`plain` replaces by what, in this order."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def plain(text: str) -> str:
    r"""The text without what a terminal obeys, and without ``##``.

    An escape sequence that moves or colours is dropped; any other control, a turn of direction and what nobody sees
    become a space, and a carriage return a line's end.

    Examples
    --------
    >>> plain("a\x1b[31mred\x1b[0m\x07b\u202ec\r\nd ##vso[task.complete]")
    'ared b c\nd # #vso[task.complete]'
    """
    return _HASHES.sub(r"\1 ", visible(text))


def visible(text: str) -> str:
    r"""The text without what a terminal or a browser obeys and nobody sees; ``##`` stays, as for what is no log.

    Examples
    --------
    >>> visible("## a\x1b[31mred\x1b[0m\x07b\u202ec")
    '## ared b c'
    """
    if text.isprintable():  # nothing that is replaced is
        return text
    for pattern, instead in STEPS[:3]:
        text = pattern.sub(instead, text)
    return text


def uncommanded(text: str, before: str = "") -> str:
    r"""The text without commands of build systems, where ``before`` stands in front of it in its line.

    Examples
    --------
    >>> uncommanded("a::b\n ::error::x"), uncommanded(":error", before=" :")
    ('a::b\n : :error::x', ' :error')
    """
    whole = _COLONS.sub(r"\1 ", _HASHES.sub(r"\1 ", before + text))
    return whole[len(before) :]


def line_so_far(text: str) -> str:
    """What of the last line decides whether what follows makes a command: as little as possible, for any length.

    Examples
    --------
    >>> line_so_far("a"), line_so_far("  :"), line_so_far("a #"), line_so_far("a ")
    ('x', ':', 'x#', 'x')
    """
    seen = _LEFT_OUT.sub("", text[max(text.rfind("\n"), text.rfind("\r")) + 1 :])
    start = seen.strip()
    if start in ("", ":", "#"):
        return start if seen.endswith(start) else "x"
    return "x#" if seen.endswith("#") else "x"


def one_line(text: str) -> str:
    r"""One line that neither a terminal nor a build system obeys.

    Examples
    --------
    >>> one_line("good\n::set-output name=x::y")
    'good ::set-output name=x::y'
    >>> one_line("::error::no"), one_line("a ##vso[task.complete]")
    (': :error::no', 'a # #vso[task.complete]')
    """
    return uncommanded(" ".join(plain(text).split()))


def json_on_a_terminal(text: str) -> str:
    r"""JSON that reads as the same value, with what :func:`plain` would change written as escapes.

    Examples
    --------
    >>> json_on_a_terminal('{"title": "## a\u202eb"}')
    '{"title": "\\u0023# a\\u202eb"}'
    """
    escaped = _OBEYED.sub(lambda found: _unit(found[0]), text)
    return re.sub(rf"#(?={_OVERLOOKED}#)", r"\\u0023", escaped)


def no_formula(value: Any) -> Any:
    """A cell of a CSV file: a text that a spreadsheet would run as a formula is kept from it by an apostrophe.

    Examples
    --------
    >>> no_formula("=1+1"), no_formula("-3.5"), no_formula(-3.5)
    ("'=1+1", '-3.5', -3.5)
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def _unit(character: str) -> str:
    """A character as JSON escapes it: one unit of UTF-16, or two."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
