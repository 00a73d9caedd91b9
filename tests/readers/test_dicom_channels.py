"""Which lead is which in a DICOM file: code, meaning and label must agree."""

from __future__ import annotations

import copy

import numpy as np
import pydicom
import pytest

from ecgcore.readers.dicom import read_dicom
from ecgcore.readers.dicom_channels import lead_in_words
from ecgcore.recording import LEADS, RecordingError
from tests.readers.dicom_files import channel, edited, rhythm, warnings_of


def test_lead_code_and_meaning_must_agree() -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 6).ChannelSourceSequence[0].CodeValue = "5.6.3-9-4"

    with pytest.raises(RecordingError, match="one and the same lead"):
        edited(edit)


def test_lead_label_must_agree_too() -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 6).ChannelLabel = "V6"

    with pytest.raises(RecordingError, match="one and the same lead"):
        edited(edit)


def test_the_codes_of_today_are_read_as_those_of_old(valid: bytes) -> None:
    def edit(file: pydicom.Dataset) -> None:
        for definition in rhythm(file).ChannelDefinitionSequence:
            source = definition.ChannelSourceSequence[0]
            source.CodeValue = source.CodeValue.replace("5.6.3-9-", "2:")
            source.CodingSchemeDesignator = "MDC"

    recording = edited(edit)
    assert recording.leads == LEADS
    assert np.array_equal(recording.signal, read_dicom("a", valid).signal)
    assert len(recording.source.warnings) == 1


def test_reference_names_in_place_of_codes_are_read() -> None:
    def edit(file: pydicom.Dataset) -> None:
        for definition in rhythm(file).ChannelDefinitionSequence:
            source = definition.ChannelSourceSequence[0]
            lead = lead_in_words(source.CodeMeaning)
            source.CodeValue = f"MDC_ECG_LEAD_{str(lead).upper()}"
            source.CodingSchemeDesignator = "MDC"

    assert edited(edit).leads == LEADS


def test_a_private_code_system_is_said_and_the_names_believed() -> None:
    def edit(file: pydicom.Dataset) -> None:
        for definition in rhythm(file).ChannelDefinitionSequence:
            definition.ChannelSourceSequence[0].CodingSchemeDesignator = "99CART"

    recording = edited(edit)
    assert recording.leads == LEADS
    assert "code system '99CART'" in warnings_of(recording)


def test_a_derived_group_that_cannot_be_read_is_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        file.WaveformSequence[1].SamplingFrequency = "1"

    assert "the derived group 2 cannot be read" in warnings_of(edited(edit))


def test_an_original_group_that_cannot_be_read_is_refused() -> None:
    def edit(file: pydicom.Dataset) -> None:
        file.WaveformSequence[1].WaveformOriginality = "ORIGINAL"
        file.WaveformSequence[0].SamplingFrequency = "1"

    with pytest.raises(RecordingError, match="sampling rate 1 Hz"):
        edited(edit)


def test_the_group_with_most_leads_is_read_and_the_others_are_named() -> None:
    def edit(file: pydicom.Dataset) -> None:
        group = rhythm(file)
        samples = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12)
        definitions = list(group.ChannelDefinitionSequence)
        columns = []
        for first, last in ((0, 3), (3, 12)):
            column = copy.deepcopy(group)
            column.NumberOfWaveformChannels = last - first
            column.ChannelDefinitionSequence = pydicom.Sequence(definitions[first:last])
            column.WaveformData = samples[:, first:last].tobytes()
            columns.append(column)
        file.WaveformSequence = pydicom.Sequence(columns)

    recording = edited(edit)
    assert recording.leads == LEADS[3:]
    assert "group 1 (RHYTHM, 10 s) is in the file too" in warnings_of(recording)
    assert "only 9 leads" in warnings_of(recording)


def test_names_in_other_character_sets() -> None:
    def edit(file: pydicom.Dataset) -> None:
        file.SpecificCharacterSet = "ISO_IR 192"
        file.WaveformAnnotationSequence[0].UnformattedTextValue = "Vorhofflimmern, häufige VES"

    assert edited(edit).statements[0].code == "Vorhofflimmern, häufige VES"


def test_text_at_a_place_on_the_trace_is_no_statement() -> None:
    def edit(file: pydicom.Dataset) -> None:
        file.WaveformAnnotationSequence[0].ReferencedSamplePositions = [500]

    assert [s.code for s in edited(edit).statements] == ["ECG NORMALE"]


def test_a_lead_that_is_none_of_the_twelve_is_left_out_and_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        source = channel(file, 11).ChannelSourceSequence[0]
        source.CodeValue, source.CodeMeaning = "5.6.3-9-9", "Lead V7"

    recording = edited(edit)
    assert recording.leads == LEADS[:-1]
    assert "Channel 12 (Lead V7) is none of the twelve leads" in warnings_of(recording)
    assert "only 11 leads" in warnings_of(recording)


def test_a_lead_twice_is_refused() -> None:
    def edit(file: pydicom.Dataset) -> None:
        source = channel(file, 11).ChannelSourceSequence[0]
        source.CodeValue, source.CodeMeaning = "5.6.3-9-7", "Lead V5"

    with pytest.raises(RecordingError, match="lead V5 is there 2 times"):
        edited(edit)


def test_exchanged_chest_leads_are_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        one, two = channel(file, 6), channel(file, 7)
        one.ChannelSourceSequence, two.ChannelSourceSequence = (
            pydicom.Sequence(list(two.ChannelSourceSequence)),
            pydicom.Sequence(list(one.ChannelSourceSequence)),
        )

    assert "unusual order" in warnings_of(edited(edit))


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("Lead I (Einthoven)", "I"),
        ("aVR, augmented voltage, right", "aVR"),
        ("V1", "V1"),
        ("lead v6", "V6"),
        ("Lead V1 or V2", None),
        ("V10", None),
        ("V3R", None),
        ("", None),
    ],
)
def test_the_lead_in_words(text: str, lead: str | None) -> None:
    assert lead_in_words(text) == lead
