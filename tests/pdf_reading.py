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
_NUMBER = re.compile(rb"[-+]?[\d.]+")
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
        elif _NUMBER.fullmatch(token):
            operands.append(float(token))
        elif token not in (b"[", b"]", b"<<", b">>"):
            yield token.decode("latin-1"), operands
            operands = []


@dataclass
class _State:
    """What the operators so far have set."""

    colour: tuple[int, int, int] = (0, 0, 0)
    width: float = 1.0
    font: str = ""
    at: tuple[float, float] = (0.0, 0.0)
    path: list[list[tuple[float, float]]] = field(default_factory=list)
    kept: list[tuple[tuple[int, int, int], float]] = field(default_factory=list)


def _draw(page: Page, content: bytes, maps: dict[str, dict[int, str]]) -> None:
    state = _State()
    for operator, operands in _operations(content):
        assert operator not in ("Do", "BI"), "a picture or a form"
        _stroke(page, state, operator, operands)
        _write(page, state, operator, operands, maps)


def _stroke(page: Page, state: _State, operator: str, operands: list[Any]) -> None:
    match operator:
        case "q":
            state.kept.append((state.colour, state.width))
        case "Q":
            state.colour, state.width = state.kept.pop()
        case "G" | "RG":
            red, green, blue = (round(255 * part) for part in (operands * 3)[:3])
            state.colour = (red, green, blue)
        case "w":
            (state.width,) = operands
        case "m":
            state.path.append([(operands[0], operands[1])])
        case "l":
            state.path[-1].append((operands[0], operands[1]))
        case "S":
            page.lines += [Line(points, state.colour, state.width) for points in state.path]
            state.path = []
        case "f" | "n" | "b" | "B":
            state.path = []


def _write(
    page: Page, state: _State, operator: str, operands: list[Any], maps: dict[str, dict[int, str]]
) -> None:
    match operator:
        case "cm":
            state.at = (operands[4], operands[5])
        case "BT":
            page.texts.append(Text("", *state.at, 0.0))
        case "Tf":
            state.font, page.texts[-1].size = operands
        case "TJ" | "Tj":
            codes = b"".join(part for part in operands if isinstance(part, bytes))
            pairs = [int.from_bytes(codes[i : i + 2]) for i in range(0, len(codes), 2)]
            page.texts[-1].text += "".join(maps[state.font][code] for code in pairs)
