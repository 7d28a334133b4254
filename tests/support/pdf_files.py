"""PDF files, written by hand: with text in Hangul, of pictures only, encrypted, and larger inside than outside."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


def pdf(pages: Sequence[str], *, to_unicode: bool = True, encrypted: bool = False) -> bytes:
    """A PDF of one font with a page for each text; a page of the empty text shows nothing but a line."""
    letters = sorted({c for text in pages for c in text if c != "\n"})
    code = {letter: number for number, letter in enumerate(letters, start=1)}
    streams = []
    for text in pages:
        shown = "".join(
            f"<{''.join(f'{code[c]:04X}' for c in line)}> Tj 0 -14 Td\n" for line in text.split("\n") if line
        )
        streams.append(f"BT /F1 12 Tf 72 720 Td\n{shown}ET" if text else "0 0 m 100 100 l S")
    mapped = "\n".join(f"<{n:04X}> <{c.encode('utf-16-be').hex().upper()}>" for c, n in code.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{len(code)} beginbfchar\n{mapped}\nendbfchar\nendcmap end end"
    )
    return assembled(streams, cmap if to_unicode else "", encrypted)


def bomb(megabytes: int) -> bytes:
    """A small file whose only page unpacks to so many megabytes of drawing."""
    return assembled([b"0 0 m 100 100 l S\n" * (megabytes * 2**20 // 18)], "", False)


def assembled(streams: Sequence[str | bytes], cmap: str, encrypted: bool) -> bytes:
    objects: list[bytes] = []

    def add(content: bytes) -> int:
        objects.append(content)
        return len(objects)

    def stream(content: str | bytes) -> bytes:
        packed = zlib.compress(content.encode() if isinstance(content, str) else content, 9)
        return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)

    named = add(stream(cmap)) if cmap else 0
    extra = b" /ToUnicode %d 0 R" % named if named else b""
    below = add(
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Own /DW 1000"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    )
    font = add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Own /Encoding /Identity-H /DescendantFonts [%d 0 R]%s >>"
        % (below, extra)
    )
    contents = [add(stream(content)) for content in streams]
    tree = len(objects) + len(contents) + 1
    pages = [
        add(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 %d 0 R >> >> >>" % (tree, content, font)
        )
        for content in contents
    ]
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    add(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids))
    root = add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)
    locked = b""
    if encrypted:  # whose key nobody has: neither password fits what stands here
        lock = add(b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (b"11" * 32, b"22" * 32))
        locked = b" /Encrypt %d 0 R /ID [<%s> <%s>]" % (lock, b"33" * 16, b"33" * 16)
    out = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root %d 0 R%s >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, root, locked, len(out))
    )
