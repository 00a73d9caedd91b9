"""Where on the page a finding is to be seen.

A measurement is taken on a usual beat, and on most layouts a lead is drawn for a quarter of the
time only: the same part of another usual beat, one that is on the page, shows the same thing.
"""

from __future__ import annotations

import numpy as np

from ecgcore.drawing.layout import PAGE_SECONDS, Slot, rhythm_strips, slots
from ecgcore.drawing.markings import Highlight
from ecgcore.drawing.page import PaperOptions
from ecgcore.recording import Recording
from ecgcore.rules.finding import Finding, Place
from ecgcore.signal.beats import Beats

# A longer stretch is about the rhythm; another beat does not show the same.
_ONE_BEAT_SECONDS = 1.5


def highlights(
    finding: Finding, recording: Recording, beats: Beats, options: PaperOptions
) -> tuple[Highlight, ...]:
    """The finding's places in s, each moved to a usual beat that the page shows if need be."""
    stop = min(recording.seconds, options.start + PAGE_SECONDS)
    strips = rhythm_strips(options.layout, options.rhythm_leads)
    page = slots(options.layout, strips, options.start, stop)
    found = [_on_page(place, recording.sampling_rate, beats, page) for place in finding.where]
    return tuple(dict.fromkeys(found))


def _on_page(place: Place, rate: float, beats: Beats, page: tuple[Slot, ...]) -> Highlight:
    start, stop = place.start / rate, place.stop / rate
    shown = [slot for slot in page if slot.lead == place.lead]
    if any(start < slot.stop and stop > slot.start for slot in shown):
        return place.lead, start, stop
    positions = beats.positions / rate
    if stop - start <= _ONE_BEAT_SECONDS and len(positions):
        own = int(np.argmin(np.abs(positions - (start + stop) / 2)))
        for other, kind in enumerate(beats.kinds):
            shift = positions[other] - positions[own]
            inside = any(
                slot.start <= start + shift and stop + shift <= slot.stop for slot in shown
            )
            if kind == beats.kinds[own] and beats.groups[other] == beats.groups[own] and inside:
                return place.lead, start + shift, stop + shift
    return place.lead, start, stop
