"""Where every wave begins, peaks and ends: three methods behind one function.

``network`` (ours) segments each lead with a trained network; ``gradient`` follows the rule half of
HRNN by first and second differences; ``neurokit`` asks the NeuroKit2 library. Every method has the
same face, ``read_leads(signals, sampling_rate) -> LeadsRead`` in the module of its name, and gets
only leads that passed the quality gate; what the leads say is then compared in ``agreement``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import Recording
from ecgcore.signal.delineation.agreement import LeadsRead, agree
from ecgcore.signal.delineation.waves import PEAK, WAVES, Delineation
from ecgcore.signal.quality import assess

Method = Literal["network", "gradient", "neurokit"]
METHODS: tuple[Method, ...] = get_args(Method)
DEFAULT_METHOD: Method = "network"

LeadSignals = Mapping[str, NDArray[np.float32]]
"""By lead, (samples,) in mV, all of one length; no lead is unusable, single NaN may remain."""
ReadLeads = Callable[[LeadSignals, float], LeadsRead]


def delineate(recording: Recording, method: Method = DEFAULT_METHOD) -> Delineation:
    """The waves of a recording, lead by lead and of the heart as a whole.

    Leads that the quality gate calls unusable are left out and named in ``unread``; where the
    whole recording is unusable, every lead is. Raises ValueError for an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    read_leads: ReadLeads = import_module(f"ecgcore.signal.delineation.{method}").read_leads
    return delineate_with(recording, read_leads, method)


def delineate_with(recording: Recording, read_leads: ReadLeads, name: str) -> Delineation:
    """As ``delineate``, by any function that reads leads: other weights, another library method."""
    refused = _refused(recording)
    rate = recording.sampling_rate
    signals = {lead: recording.lead(lead) for lead in recording.leads if lead not in refused}
    read = read_leads(signals, rate) if signals else LeadsRead({})
    overall, leads = agree(read.marks, rate, read.overall)
    unread = refused | dict(read.unread)
    return Delineation(
        method=name,
        sampling_rate=rate,
        samples=recording.samples,
        overall=overall,
        leads=leads,
        unread={lead: unread[lead] for lead in recording.leads if lead in unread},
        warnings=_warnings(recording, overall["QRS"][:, PEAK], unread),
    )


def _refused(recording: Recording) -> dict[str, str]:
    """Leads that the quality gate calls unusable, each with the gate's sentence."""
    unusable = [found for found in assess(recording) if found.severity == "unusable"]
    whole = [found.text for found in unusable if found.lead is None]
    if recording.samples == 0:
        whole.append("The recording has no samples.")
    if whole:
        return dict.fromkeys(recording.leads, whole[0])
    refused: dict[str, str] = {}
    for found in unusable:
        if found.lead is not None:
            refused.setdefault(found.lead, found.text)
    return refused


def _warnings(
    recording: Recording, beats: NDArray[np.float64], unread: Mapping[str, str]
) -> tuple[str, ...]:
    found = []
    if unread:
        found.append(f"{len(unread)} of {len(recording.leads)} leads were not delineated.")
    if len(unread) < len(recording.leads) and not np.isfinite(beats).any():
        found.append("No QRS complex was found.")
    return tuple(found)


__all__ = ["DEFAULT_METHOD", "METHODS", "WAVES", "Method", "delineate", "delineate_with"]
