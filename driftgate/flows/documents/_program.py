"""Reads PDF and HTML in a process of its own: one JSON line for each file, and one line of JSON back.

It is run by its path and imports nothing of driftgate, so that it starts quickly and holds nothing worth having.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

_UNREADABLE = 0.2
"""Share of signs without a meaning, from which the fonts of a PDF do not say what their glyphs are."""
_DROPPED = frozenset({"script", "style", "template", "noscript", "svg", "head", "iframe", "object", "nav"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "div", "dl", "figcaption", "figure", "footer", "form"}
    | {"header", "hr", "main", "ol", "p", "section", "table", "td", "th", "ul"}
)
_LINES = frozenset({"br", "dd", "dt", "li", "option", "tr"})
"""They begin a line, and no paragraph."""


class Unreadable(Exception):
    """Why a file says nothing, in words."""


def read_pdf(path: str, most: int) -> dict[str, str]:
    """The text of the pages, blank lines between them."""
    from pypdf import PdfReader

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not _opened(reader):
            raise Unreadable("it is encrypted, and opens with a password only")
        count = len(reader.pages)
    except Unreadable:
        raise
    except Exception as problem:
        raise Unreadable(f"it is no PDF, or a broken one ({_words(problem)})") from problem
    pages, broken, size = [], 0, 0
    for number in range(count):
        try:
            text = reader.pages[number].extract_text() or ""
        except MemoryError:
            raise
        except Exception:  # a page of many
            broken += 1
            continue
        size += len(text)
        if size > most:
            raise Unreadable(f"it holds more than {most:,} characters")
        if text.strip():
            pages.append("\n".join(line.strip() for line in text.splitlines()))
    if not pages:
        if broken:
            raise Unreadable(f"none of its {count} pages can be read")
        raise Unreadable(f"there is no text on its {count} pages: they are pictures, such as of a scan")
    whole = "\n\n".join(pages)
    odd = sum(c == "\ufffd" or 0xE000 <= ord(c) < 0xF900 or (ord(c) < 32 and c not in "\n\t\r") for c in whole)
    if odd > _UNREADABLE * len(whole):
        raise Unreadable("its fonts do not say which characters they show")
    without = count - len(pages) - broken
    notes = [f"{broken} of {count} pages cannot be read"] if broken else []
    notes += [f"{without} of {count} pages hold no text"] if without else []
    return {"text": whole, "note": ", ".join(notes)}


def _opened(reader: Any) -> bool:
    try:
        return bool(reader.decrypt(""))
    except Exception as problem:  # among others that a package for its cipher is not there
        raise Unreadable(f"it is encrypted ({_words(problem)})") from problem


def read_html(text: str, most: int) -> dict[str, str]:
    """The text of a page as Markdown: headings, paragraphs, tables, and code as it stands."""
    from selectolax.lexbor import LexborHTMLParser

    root = LexborHTMLParser(text).root
    scripts = 0
    parts: list[str] = []
    for kind, node in _walk(root) if root is not None else ():
        if kind == "dropped":
            scripts += node.tag == "script"
        elif kind == "text":
            parts.append(re.sub(r"\s+", " ", node.text_content or ""))
        elif kind == "pre":
            code = node.text().strip("\n")
            fence = "`" * (2 + max((len(run) for run in re.findall("`+", code)), default=1))
            parts.append(f"\n\n{fence}\n{code}\n{fence}\n\n" if code.strip() else "")
        elif kind == "table":
            parts.append(f"\n\n{_table(node)}\n\n")
        elif kind == "heading":
            parts.append(f"\n\n{'#' * int(node.tag[1])} {' '.join(node.text(separator=' ').split())}\n\n")
        elif kind == "line":
            parts.append("\n")
        else:
            parts.append("\n\n")
    whole = re.sub(r" *\n *\n\s*\n+", "\n\n", "".join(parts)).strip()
    if len(whole) > most:
        raise Unreadable(f"it holds more than {most:,} characters")
    if not whole:
        why = f": {scripts} scripts would make it" if scripts else ""
        raise Unreadable(f"there is no text in it{why}")
    return {"text": whole, "note": ""}


def _walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Nodes in their order, and the ends of blocks; without recursion, for a page may be as deep as it is long."""
    node, down = root, True
    while node is not None:
        tag = node.tag or ""
        if down:
            hidden = tag not in ("-text", "-comment", "-doctype") and _hidden(node)
            kind = _kind(tag) if not hidden else "dropped"
            if kind == "table" and len(node.css("table")) > 1:  # it lays a page out
                kind = "block"
            if kind:
                yield kind, node
            if kind in ("", "block", "line") and node.child is not None:
                node = node.child
                continue
        if node is root:
            return
        if not down and _kind(tag) in ("block", "table"):
            yield "block", node
        if node.next is not None:
            node, down = node.next, True
        else:
            node, down = node.parent, False


def _hidden(node: Any) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or "display:none" in (attributes.get("style") or "").replace(" ", "").lower()


def _kind(tag: str) -> str:
    """What is done with a node; empty: what stands in it is looked at."""
    if tag == "-text":
        return "text"
    if tag in _DROPPED:
        return "dropped"
    if tag in ("pre", "table"):
        return tag
    if tag in _LINES:
        return "line"
    if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
        return "heading"
    return "block" if tag in _BLOCKS else ""


def _table(table: Any) -> str:
    """Rows of Markdown; the first is taken for its head."""
    rows = []
    for row in table.css("tr"):
        cells = [" ".join(cell.text(separator=" ").split()).replace("|", "/") for cell in row.css("th, td")]
        if any(cells):
            rows.append("| " + " | ".join(cells) + " |")
    if len(rows) > 1:
        rows.insert(1, "|" + "---|" * max(1, rows[0].count("|") - 1))
    return "\n".join(rows)


def _words(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {' '.join(str(problem).split())[:120]}".rstrip(": ")


def main(most_memory: int, most: int) -> None:
    """Answer one line after the other until there is none."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))
    except (ImportError, ValueError, OSError):  # Windows has no such limits; a lower one may hold already
        pass
    logging.disable(logging.CRITICAL)
    out = sys.stdout
    sys.stdout = sys.stderr  # a parser that prints does not speak in our place
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            reply = read_pdf(asked["path"], most) if asked["form"] == "pdf" else read_html(asked["text"], most)
        except Unreadable as problem:
            reply = {"reason": str(problem)}
        except MemoryError:
            reply = {"reason": f"reading it takes more than {most_memory >> 20} MiB of memory"}
        except ModuleNotFoundError as problem:
            reply = {"missing": problem.name or ""}
        except Exception as problem:  # of a parser, which may raise anything
            reply = {"reason": f"it cannot be read ({_words(problem)})"}
        out.write(json.dumps(reply) + "\n")
        out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
