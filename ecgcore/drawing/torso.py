"""A drawn torso that faces us, as plotly shapes: outline, clavicles, sternum, ribs and heart.

Units are the drawing's own, about centimetres: x to the patient's left, y up, 0 at mid chest. It
gives the electrodes a place to sit on; it is no anatomical atlas.
"""

from __future__ import annotations

from typing import Any

from ecgcore.drawing.palette import Palette

# Right half of the outline, neck to waist, as Bezier control points; mirrored for the other side.
_OUTLINE = (
    "M {m}3.6,26 C {m}3.8,22.5 {m}4.2,20.8 {m}6.5,19.6 C {m}10,18 {m}14.5,17.4 {m}16.8,14.6 "
    "C {m}18.6,12.4 {m}18.2,9 {m}17.2,6.4 C {m}16.2,3.6 {m}15.8,0 {m}15.6,-4 "
    "C {m}15.3,-10 {m}13.6,-14 {m}13.4,-19 C {m}13.3,-23 {m}14.2,-26 {m}14.8,-30"
)
_RIB_LEVELS = (11.5, 7.5, 3.8, 0.2, -3.4)


def body_shapes(colours: Palette) -> list[dict[str, Any]]:
    """Torso, clavicles, sternum, ribs and heart, as smooth outlines behind everything."""
    left, right = (_OUTLINE.format(m=mirror) for mirror in ("", "-"))
    whole = left + " L -14.8,-30 " + _reversed_outline()
    shapes = [_path(whole, "rgba(0,0,0,0)", 0.0, colours.body)]
    shapes += [_path(side, colours.body_line, 2.0) for side in (left, right)]
    faint = faint_line(colours)
    for mirror in ("", "-"):
        shapes.append(
            _path(
                f"M {mirror}1.2,16.8 C {mirror}5,16.2 {mirror}9,18.4 {mirror}14.2,15.6", faint, 2.0
            )
        )
        shapes += [
            _path(
                f"M {mirror}1.8,{level} C {mirror}6,{level + 1.6} {mirror}11,{level + 0.6} "
                f"{mirror}13.8,{level - 3.4}",
                faint,
                1.3,
            )
            for level in _RIB_LEVELS
        ]
    sternum = "M -1.6,16.6 C -1.2,12 -1.6,8 -1.5,-3 L 0,-5.6 L 1.5,-3 C 1.6,8 1.2,12 1.6,16.6 Z"
    heart = "M 0,5.5 C 3.5,7 6.4,4.5 7.4,0.6 C 8.2,-2.4 8.8,-5 7.8,-6 C 5,-7.2 -1.4,-5.4 -2.6,-2 "
    shapes.append(_path(sternum, faint, 1.3))
    shapes.append(_path(heart + "C -3.4,1 -2.4,4.6 0,5.5 Z", faint, 1.3, _heart_fill(colours)))
    return shapes


def _reversed_outline() -> str:
    """The mirrored outline from waist to neck, so that body and outline close."""
    return (
        "C -14.2,-26 -13.3,-23 -13.4,-19 C -13.6,-14 -15.3,-10 -15.6,-4 "
        "C -15.8,0 -16.2,3.6 -17.2,6.4 C -18.2,9 -18.6,12.4 -16.8,14.6 "
        "C -14.5,17.4 -10,18 -6.5,19.6 C -4.2,20.8 -3.8,22.5 -3.6,26 Z"
    )


def faint_line(colours: Palette) -> str:
    """The CSS colour of anatomy that must not compete with the marks."""
    red, green, blue = (int(colours.body_line[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.38)"


def _heart_fill(colours: Palette) -> str:
    red, green, blue = colours.heat_against
    return f"rgba({red},{green},{blue},0.10)"


def _path(path: str, colour: str, width: float, fill: str = "rgba(0,0,0,0)") -> dict[str, Any]:
    return {
        "type": "path",
        "path": path,
        "layer": "below",
        "fillcolor": fill,
        "line": {"color": colour, "width": width},
    }
