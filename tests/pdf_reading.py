"""A small reader of the PDF files that we write: pages, lines and text in PDF points.

It knows what matplotlib's backend writes and nothing more; a file of any other form fails a test.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MM = 72 / 25.4
"""PDF points a millimetre."""

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.S)
_TOKEN = re.compile(rb"\((?:\\.|[^\\()])*\)|\[|\]|/[^\s/\[\]()<>]+|[^\s/\[\]()<>]+|<<|>>", re.S)
_ESCAPED = re.compile(rb"\\(.)", re.S)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass
class Line:
    """A stroked line: its points in PDF points, its colour as (r, g, b) of 0 to 255."""

    points: list[tuple[float, float]]
    colour: tuple[int, int, int]
    width: float


@dataclass
class Text:
    """A text with the place of its beginning and the size of its font, in PDF points."""

    text: str
    x: float
    y: float
    size: float


@dataclass
class Page:
    """What is drawn on a page of ``size`` in PDF points."""

    size: tuple[float, float]
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def text(self) -> str:
        """All text, a line for each piece."""
        return "\n".join(text.text for text in self.texts)

    def of_colour(self, colour: str) -> list[Line]:
        """The lines of a colour such as "#efb5ab"."""
        wanted = tuple(bytes.fromhex(colour[1:]))
        return [line for line in self.lines if line.colour == wanted]


def read_pdf(pdf: bytes) -> list[Page]:
    """The pages of a file, in order."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    kids = next(body for body in objects.values() if b"/Type /Pages" in body)
    numbers = re.search(rb"/Kids \[(.*?)\]", kids, re.S)
    assert numbers is not None
    return [_page(objects, int(n)) for n in re.findall(rb"(\d+) 0 R", numbers[1])]


def streams(pdf: bytes) -> list[bytes]:
    """Every stream, unpacked."""
    return [_stream(body) for _, body in _OBJECT.findall(pdf) if b"\nstream\n" in body]


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"\nstream\n")
    data = rest[: rest.rindex(b"\nendstream")]
    return zlib.decompress(data) if b"FlateDecode" in head else data


def _named(body: bytes, name: str) -> int:
    found = re.search(rf"/{name} (\d+) 0 R".encode(), body)
    assert found is not None, f"no {name} in {body[:200]!r}"
    return int(found[1])


def _page(objects: dict[int, bytes], number: int) -> Page:
    body = objects[number]
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", body)
    assert box is not None
    fonts = objects[_named(objects[_named(body, "Resources")], "Font")]
    maps = {
        name.decode(): _to_unicode(_stream(objects[_named(objects[int(at)], "ToUnicode")]))
        for name, at in re.findall(rb"/(\S+) (\d+) 0 R", fonts)
    }
    page = Page((float(box[1]), float(box[2])))
    _draw(page, _stream(objects[_named(body, "Contents")]), maps)
    return page


def _to_unicode(cmap: bytes) -> dict[int, str]:
    """Character code to text."""
    known: dict[int, str] = {}
    for first, last, texts in re.findall(rb"<(\w+)> <(\w+)>\s*\[(.*?)\]", cmap, re.S):
        codes = range(int(first, 16), int(last, 16) + 1)
        found = re.findall(rb"<(\w+)>", texts)
        for code, text in zip(codes, found, strict=True):
            known[code] = bytes.fromhex(text.decode()).decode("utf-16be", "surrogatepass")
    return known


def _operations(content: bytes) -> Iterator[tuple[str, list[Any]]]:
    """Each operator with its operands; the strings of an array without its kerns."""
    operands: list[Any] = []
    for token in _TOKEN.findall(content):
        if token.startswith(b"("):
            operands.append(_ESCAPED.sub(lambda m: _LETTERS.get(m[1], m[1]), token[1:-1]))
        elif token.startswith(b"/"):
            operands.append(token[1:].decode())
        elif re.fullmatch(rb"[-+]?[\d.]+", token):
            operands.append(float(token))
        elif token not in (b"[", b"]", b"<<", b">>"):
            yield token.decode("latin-1"), operands
            operands = []


def _draw(page: Page, content: bytes, maps: dict[str, dict[int, str]]) -> None:
    colour, width, font, size = (0, 0, 0), 1.0, "", 0.0
    kept: list[tuple[tuple[int, int, int], float]] = []
    path: list[list[tuple[float, float]]] = []
    at = (0.0, 0.0)
    for operator, operands in _operations(content):
        assert operator not in ("Do", "BI"), "a picture or a form"
        if operator == "q":
            kept.append((colour, width))
        elif operator == "Q":
            colour, width = kept.pop()
        elif operator in ("G", "RG"):
            parts = operands * 3 if operator == "G" else operands
            red, green, blue = (round(255 * part) for part in parts)
            colour = (red, green, blue)
        elif operator == "w":
            width = operands[0]
        elif operator == "m":
            path.append([(operands[0], operands[1])])
        elif operator == "l":
            path[-1].append((operands[0], operands[1]))
        elif operator == "S":
            page.lines += [Line(points, colour, width) for points in path]
            path = []
        elif operator in ("f", "n", "b", "B"):
            path = []
        elif operator == "cm":
            at = (operands[4], operands[5])
        elif operator == "BT":
            page.texts.append(Text("", *at, 0.0))
        elif operator == "Tf":
            font, size = operands
            page.texts[-1].size = size
        elif operator in ("TJ", "Tj"):
            codes = b"".join(part for part in operands if isinstance(part, bytes))
            pairs = [int.from_bytes(codes[i : i + 2]) for i in range(0, len(codes), 2)]
            page.texts[-1].text += "".join(maps[font][code] for code in pairs)
