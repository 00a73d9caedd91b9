"""Which leads a network listens to, on a drawn torso.

The chest leads are discs at their electrodes (V1 and V2 in the fourth intercostal space at the
right and left sternal border, V4 in the fifth in the midclavicular line, V3 between V2 and V4, V5
and V6 level with V4 in the anterior and mid axillary line). The limb leads are arrows in the
directions of the hexaxial system around the heart (I 0, II +60, aVF +90, III +120, aVR -150, aVL
-30 degrees, clockwise positive). See Kligfield et al., Circulation 2007;115:1306-1324. Size and
colour give the weight, the number and the sign beside each name give it again without colour.
"""

from __future__ import annotations

from html import escape
from math import cos, radians, sin
from typing import TYPE_CHECKING, Any

from ecgcore.drawing.palette import Palette, palette
from ecgcore.drawing.torso import body_shapes, faint_line
from ecgcore.explain.explanation import LeadTopography
from ecgcore.recording import CHEST_LEADS, LIMB_LEADS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOPOGRAPHY_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "displayModeBar": False,
    "scrollZoom": False,
    "staticPlot": True,
}

# Degrees of the hexaxial system, clockwise from the patient's left.
LIMB_ANGLES: dict[str, float] = {
    "I": 0.0,
    "II": 60.0,
    "III": 120.0,
    "aVR": -150.0,
    "aVL": -30.0,
    "aVF": 90.0,
}
# Centimetres on a drawn torso that faces us: x to the patient's left, y up, 0 at mid chest.
ELECTRODES: dict[str, tuple[float, float]] = {
    "V1": (-2.8, 2.4),
    "V2": (2.8, 2.4),
    "V3": (6.0, 0.1),
    "V4": (9.2, -2.2),
    "V5": (12.4, -2.2),
    "V6": (15.2, -2.2),
}
# From each electrode to its label, in turn above and below because the discs stand close.
_LABEL_SHIFTS: dict[str, tuple[float, float]] = {
    "V1": (0.0, 3.5),
    "V2": (0.0, 3.5),
    "V3": (-1.9, -3.6),
    "V4": (0.0, -3.6),
    "V5": (-0.4, 3.5),
    "V6": (0.0, -3.6),
}
HEART = (2.0, -0.5)

# Below this share of the full scale the channels' signs cancel out.
_CLEAR_SIGN = 0.05
_WIDTH, _HEIGHT = 660, 640
_X_RANGE = (-33.0, 33.0)
_Y_RANGE = (-34.0, 30.0)
_RING = (19.5, 24.0)
_FONT = "Inter, 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif"


def draw_topography(value: LeadTopography, augmented: int, dark: bool = False) -> Figure:
    """The weights of one augmented lead (a row of ``value``, from 0) on the torso.

    Raises ValueError when the network has no such augmented lead.
    """
    from plotly.graph_objects import Figure
    from plotly.graph_objs.layout import Template

    count = value.weights.shape[0]
    if not 0 <= augmented < count:
        raise ValueError(f"augmented lead {augmented} of {count}; choose 0 to {count - 1}")
    colours = palette(dark)
    weights = {
        lead: (float(weight), float(sign))
        for lead, weight, sign in zip(
            value.leads, value.weights[augmented], value.signed[augmented], strict=True
        )
    }
    hidden_axis = {"visible": False, "fixedrange": True}
    model = escape(value.model[:40], quote=False)
    title = f"<b>{model}</b>   augmented lead {augmented + 1} of {count}"
    return Figure(
        data=[_discs(weights, colours)],
        layout={
            "template": Template(),
            "width": _WIDTH,
            "height": _HEIGHT,
            "autosize": False,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
            "paper_bgcolor": colours.paper,
            "plot_bgcolor": colours.paper,
            "showlegend": False,
            "xaxis": {"range": list(_X_RANGE), **hidden_axis},
            "yaxis": {"range": list(_Y_RANGE), **hidden_axis},
            "shapes": body_shapes(colours) + _spokes(colours),
            "annotations": _arrows(weights, colours)
            + _chest_names(weights, colours)
            + _captions(title, colours),
        },
    )


def weight_text(weights: dict[str, tuple[float, float]], lead: str) -> str:
    """The weight and its sign, such as "+ 0.83"; "±" where the channels' signs cancel out."""
    if lead not in weights:
        return "not used"
    weight, signed = weights[lead]
    sign = "±" if abs(signed) < _CLEAR_SIGN else "+" if signed > 0 else "−"
    return f"{sign} {weight:.2f}"


def shade(weight: float, colours: Palette) -> str:
    """The CSS colour of a weight: from the body's own colour (0) to full blue (1)."""
    body = tuple(int(colours.body[place : place + 2], 16) for place in (1, 3, 5))
    mixed = (
        round(low + (high - low) * min(1.0, max(0.0, weight)))
        for low, high in zip(body, colours.heat_for, strict=True)
    )
    return "rgb({},{},{})".format(*mixed)


def _ring_point(lead: str, radius: float) -> tuple[float, float]:
    """A point on a limb lead's direction; clockwise angles run downwards on the page."""
    angle = radians(LIMB_ANGLES[lead])
    return HEART[0] + radius * cos(angle), HEART[1] - radius * sin(angle)


def _spokes(colours: Palette) -> list[dict[str, Any]]:
    """Thin dotted guides from the heart's centre to each arrow."""
    spokes = []
    for lead in LIMB_LEADS:
        end = _ring_point(lead, _RING[0])
        spokes.append(
            {
                "type": "line",
                "layer": "below",
                "x0": HEART[0],
                "y0": HEART[1],
                "x1": end[0],
                "y1": end[1],
                "line": {"color": faint_line(colours), "width": 1.2, "dash": "dot"},
            }
        )
    return spokes


def _arrows(weights: dict[str, tuple[float, float]], colours: Palette) -> list[dict[str, Any]]:
    """Each limb lead's arrow on the ring, and its name and weight beyond it."""
    marks: list[dict[str, Any]] = []
    for lead in LIMB_LEADS:
        tail, head = _ring_point(lead, _RING[0]), _ring_point(lead, _RING[1])
        weight = weights.get(lead, (0.0, 0.0))[0]
        marks.append(
            {
                "x": head[0],
                "y": head[1],
                "ax": tail[0],
                "ay": tail[1],
                "axref": "x",
                "ayref": "y",
                "showarrow": True,
                "arrowhead": 2,
                "arrowsize": 0.8,
                "arrowwidth": 2.5 + 4.5 * weight,
                "arrowcolor": shade(0.12 + 0.88 * weight, colours),
                "text": "",
            }
        )
        place = _ring_point(lead, _RING[1] + 3.0)
        marks.append(_label(place, lead, weight_text(weights, lead), colours))
    return marks


def _label(place: tuple[float, float], name: str, text: str, colours: Palette) -> dict[str, Any]:
    return {
        "x": place[0],
        "y": place[1],
        "text": f"<b>{name}</b><br>{text}",
        "showarrow": False,
        "font": {"family": _FONT, "size": 12, "color": colours.text},
    }


def _discs(weights: dict[str, tuple[float, float]], colours: Palette) -> dict[str, Any]:
    """The chest electrodes; the marker carries the scale of the whole figure."""
    shares = [weights.get(lead, (0.0, 0.0))[0] for lead in CHEST_LEADS]
    scale = [(0.0, shade(0.0, colours)), (1.0, shade(1.0, colours))]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [ELECTRODES[lead][0] for lead in CHEST_LEADS],
        "y": [ELECTRODES[lead][1] for lead in CHEST_LEADS],
        "hoverinfo": "skip",
        "marker": {
            "size": [10 + 18 * share for share in shares],
            "opacity": 1.0,
            "color": shares,
            "cmin": 0.0,
            "cmax": 1.0,
            "colorscale": scale,
            "line": {"color": colours.text, "width": 1.2},
            "colorbar": {
                "orientation": "h",
                "x": 0.97,
                "xanchor": "right",
                "y": 0.035,
                "yanchor": "bottom",
                "xpad": 0,
                "ypad": 0,
                "lenmode": "pixels",
                "len": 190,
                "thickness": 9,
                "outlinewidth": 1,
                "outlinecolor": colours.quiet_text,
                "tickvals": [0, 0.5, 1],
                "tickfont": {"family": _FONT, "size": 11, "color": colours.text},
            },
        },
    }


def _chest_names(weights: dict[str, tuple[float, float]], colours: Palette) -> list[dict[str, Any]]:
    """Name and weight beside each disc."""
    marks = []
    for lead in CHEST_LEADS:
        x, y = ELECTRODES[lead]
        right, up = _LABEL_SHIFTS[lead]
        marks.append(_label((x + right, y + up), lead, weight_text(weights, lead), colours))
    return marks


def _captions(title: str, colours: Palette) -> list[dict[str, Any]]:
    """Title, sides of the body, and how to read the marks."""
    how = "weight of each lead, 1 = strongest"
    signs = "+ enters upright   − upside down   ± mixed"
    placed = [
        (0.03, 0.975, "left", title, 14, colours.text),
        (0.97, 0.093, "right", how, 11, colours.text),
        (0.03, 0.055, "left", signs, 11, colours.quiet_text),
        (0.03, 0.025, "left", "patient's right is on the left", 11, colours.quiet_text),
    ]
    return [
        {
            "x": x,
            "y": y,
            "xref": "paper",
            "yref": "paper",
            "xanchor": side,
            "yanchor": "middle",
            "text": text,
            "showarrow": False,
            "font": {"family": _FONT, "size": size, "color": colour},
        }
        for x, y, side, text, size, colour in placed
    ]
