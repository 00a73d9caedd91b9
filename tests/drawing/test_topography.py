"""The torso: every lead has its place, its weight and its sign in words."""

from __future__ import annotations

from math import atan2, degrees

import numpy as np
import pytest

from ecgcore.drawing.palette import DARK, LIGHT
from ecgcore.drawing.topography import (
    ELECTRODES,
    HEART,
    LIMB_ANGLES,
    draw_topography,
    shade,
    weight_text,
)
from ecgcore.explain.explanation import LeadTopography
from ecgcore.recording import CHEST_LEADS, LEADS, LIMB_LEADS

WEIGHTS = np.linspace(0.05, 1.0, 24).reshape(2, 12).astype(np.float32)
SIGNED = (WEIGHTS * np.where(np.arange(12) % 2, -0.5, 0.5)).astype(np.float32)
VALUE = LeadTopography("ecgencode_m2", LEADS, WEIGHTS, SIGNED)


def test_every_lead_is_named_with_weight_and_sign() -> None:
    figure = draw_topography(VALUE, 1)
    texts = [annotation.text for annotation in figure.layout.annotations]
    for place, lead in enumerate(LEADS):
        sign = "−" if place % 2 else "+"
        assert f"<b>{lead}</b><br>{sign} {WEIGHTS[1, place]:.2f}" in texts
    assert any("augmented lead 2 of 2" in text for text in texts)


def test_discs_carry_the_weights_of_the_chest_leads() -> None:
    (discs,) = draw_topography(VALUE, 0).data
    assert list(discs.marker.color) == pytest.approx(WEIGHTS[0, 6:])
    assert np.all(np.diff(discs.marker.size) > 0)
    assert list(discs.x) == [ELECTRODES[lead][0] for lead in CHEST_LEADS]
    assert (discs.marker.cmin, discs.marker.cmax) == (0.0, 1.0)


def test_electrodes_go_round_the_chest_to_the_patients_left() -> None:
    across = [ELECTRODES[lead][0] for lead in CHEST_LEADS]
    assert across == sorted(across)
    assert across[0] < 0 < across[1]
    assert ELECTRODES["V4"][1] == ELECTRODES["V5"][1] == ELECTRODES["V6"][1]
    assert ELECTRODES["V1"][1] > ELECTRODES["V3"][1] > ELECTRODES["V4"][1]


@pytest.mark.parametrize("dark", [False, True])
def test_arrows_point_in_the_hexaxial_directions(dark: bool) -> None:
    arrows = [a for a in draw_topography(VALUE, 0, dark).layout.annotations if a.showarrow]
    assert len(arrows) == 6
    for lead, arrow in zip(LIMB_LEADS, arrows, strict=True):
        clockwise = degrees(atan2(arrow.ay - arrow.y, arrow.x - arrow.ax))
        assert clockwise == pytest.approx(LIMB_ANGLES[lead])
        outward = (arrow.x - HEART[0]) ** 2 + (arrow.y - HEART[1]) ** 2
        assert outward > (arrow.ax - HEART[0]) ** 2 + (arrow.ay - HEART[1]) ** 2
    widths = [arrow.arrowwidth for arrow in arrows]
    assert widths == sorted(widths)


def test_the_hexaxial_angles_are_the_standard_ones() -> None:
    assert LIMB_ANGLES == {"I": 0, "II": 60, "III": 120, "aVR": -150, "aVL": -30, "aVF": 90}


def test_a_mixed_sign_and_an_unused_lead_say_so() -> None:
    weights = {"I": (0.5, 0.01), "II": (0.5, -0.3)}
    assert weight_text(weights, "I") == "± 0.50"
    assert weight_text(weights, "II") == "− 0.50"
    assert weight_text(weights, "V1") == "not used"
    part = LeadTopography("m", ("I", "V1"), WEIGHTS[:, :2], SIGNED[:, :2])
    texts = [annotation.text for annotation in draw_topography(part, 0).layout.annotations]
    assert "<b>V6</b><br>not used" in texts


def test_an_unknown_augmented_lead_is_refused() -> None:
    with pytest.raises(ValueError, match="augmented lead 2 of 2; choose 0 to 1"):
        draw_topography(VALUE, 2)


def test_shades_run_from_the_body_to_full_colour() -> None:
    assert shade(1.0, LIGHT) == "rgb(0,114,178)"
    assert shade(0.0, DARK) == "rgb(29,36,40)"
    assert shade(7.0, LIGHT) == shade(1.0, LIGHT)
