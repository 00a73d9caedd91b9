"""DICOM: the real file to the last bit, every contradiction refused or said, damage bounded."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian

from benchmarks.fuzz_dicom import NO_NUMBERS, PLACEHOLDER, UNCONTRADICTED, fuzz
from ecgcore.readers.dicom import looks_like_dicom, read_dicom
from ecgcore.recording import LEADS, RecordingError
from tests.readers.dicom_files import Edit, channel, edited, rewritten, rhythm, warnings_of


def test_the_real_file_equals_pydicoms_own_decoding_to_the_last_bit(valid: bytes) -> None:
    recording = read_dicom("folder/waveform_ecg.dcm", valid)
    microvolts = pydicom.dcmread(BytesIO(valid)).waveform_array(0)
    assert np.array_equal(recording.signal, (microvolts * 1e-3).T.astype(np.float32))
    assert recording.leads == LEADS
    assert recording.sampling_rate == 1000
    assert recording.record_id == "waveform_ecg"


def test_patient_time_and_statements_of_the_real_file(valid: bytes) -> None:
    recording = read_dicom("waveform_ecg.dcm", valid)
    assert recording.patient.patient_id == "642341"
    assert (recording.patient.age, recording.patient.sex) == (42, "F")
    assert str(recording.recorded_at) == "2013-01-25 10:59:19"
    assert [s.code for s in recording.statements] == ["RITMO SINUSALE", "ECG NORMALE"]
    assert {s.system for s in recording.statements} == {"text"}
    assert recording.source.format == "DICOM"


def test_the_median_beat_is_named_and_nothing_else_is_odd(valid: bytes) -> None:
    recording = read_dicom("waveform_ecg.dcm", valid)
    assert len(recording.source.warnings) == 1
    assert "MEDIAN BEAT" in recording.source.warnings[0]


def test_the_copy_among_the_development_recordings_reads_the_same(
    valid: bytes, ecg_data: Path
) -> None:
    copy = (ecg_data / "vendor" / "dicom" / "waveform_ecg.dcm").read_bytes()
    assert np.array_equal(read_dicom("a", copy).signal, read_dicom("b", valid).signal)


def test_only_dicom_looks_like_dicom(valid: bytes) -> None:
    assert looks_like_dicom(valid)
    for other in (b"", b"DICM", bytes(132), valid[1:], b"PK\x03\x04" + bytes(200)):
        assert not looks_like_dicom(other)
        with pytest.raises(RecordingError, match="does not begin as DICOM"):
            read_dicom("other", other)


def test_implicit_and_deflated_files_read_the_same(valid: bytes) -> None:
    expected = read_dicom("a", valid).signal
    implicit = rewritten(lambda file: None, implicit=True)
    assert b"1.2.840.10008.1.2\0" in implicit[:600]
    assert np.array_equal(read_dicom("b", implicit).signal, expected)
    assert np.array_equal(read_dicom("c", deflated(valid)).signal, expected)


def deflated(valid: bytes, content: bytes | None = None) -> bytes:
    """The valid file with its data set (or ``content``) deflated."""
    file = pydicom.dcmread(BytesIO(valid))
    meta_end = 144 + int(file.file_meta.FileMetaInformationGroupLength)
    meta = bytearray(valid[:meta_end])
    old = b"UI" + struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0"
    new = b"UI" + struct.pack("<H", 22) + b"1.2.840.10008.1.2.1.99"
    assert meta.count(old) == 1
    meta = meta.replace(old, new)
    meta[140:144] = struct.pack("<I", file.file_meta.FileMetaInformationGroupLength + 2)
    press = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = valid[meta_end:] if content is None else content
    return bytes(meta) + press.compress(body) + press.flush()


def test_a_deflate_bomb_is_refused(valid: bytes) -> None:
    bomb = deflated(valid, bytes(200 * 2**20))
    assert len(bomb) < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match="64 MiB"):
            read_dicom("bomb", bomb)
        assert tracemalloc.get_traced_memory()[1] < 150 * 2**20
    finally:
        tracemalloc.stop()


def test_big_endian_is_refused_with_what_to_do(valid: bytes) -> None:
    old, new = b"1.2.840.10008.1.2.1\0", str(ExplicitVRBigEndian).encode() + b"\0"
    assert len(old) == len(new)
    with pytest.raises(RecordingError, match="convert the file"):
        read_dicom("big", valid.replace(old, new, 1))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99999])
def test_a_truncated_file_is_refused(valid: bytes, share: float) -> None:
    with pytest.raises(RecordingError, match=r"truncated|left"):
        read_dicom("cut", valid[: int(share * len(valid))])


@pytest.mark.parametrize(
    ("unit", "meaning", "sensitivity"),
    [("mV", "millivolt", "0.00125"), ("V", "volt", "1.25e-6"), ("nV", "nanovolt", "1250")],
)
def test_every_unit_gives_the_same_millivolts(
    valid: bytes, unit: str, meaning: str, sensitivity: str
) -> None:
    def edit(file: pydicom.Dataset) -> None:
        for definition in rhythm(file).ChannelDefinitionSequence:
            definition.ChannelSensitivity = sensitivity
            definition.ChannelSensitivityUnitsSequence[0].CodeValue = unit
            definition.ChannelSensitivityUnitsSequence[0].CodeMeaning = meaning

    recording = edited(edit)
    np.testing.assert_allclose(recording.signal, read_dicom("a", valid).signal, rtol=1e-6)


def test_another_unit_without_another_sensitivity_is_refused() -> None:
    def edit(file: pydicom.Dataset) -> None:
        for definition in rhythm(file).ChannelDefinitionSequence:
            definition.ChannelSensitivityUnitsSequence[0].CodeValue = "mV"
            definition.ChannelSensitivityUnitsSequence[0].CodeMeaning = "millivolt"

    with pytest.raises(RecordingError, match="correct the unit"):
        edited(edit)


def test_unit_code_and_meaning_must_agree() -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 7).ChannelSensitivityUnitsSequence[0].CodeValue = "mV"

    with pytest.raises(RecordingError, match="'mV' with the meaning 'microvolt'"):
        edited(edit)


@pytest.mark.parametrize("unit", ["MV", "UV", "mm", "", "%"])
def test_a_unit_that_is_no_voltage_is_refused(unit: str) -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 7).ChannelSensitivityUnitsSequence[0].CodeValue = unit

    with pytest.raises(RecordingError, match="one of the UCUM units"):
        edited(edit)


@pytest.mark.parametrize("sensitivity", ["0", "-1.25", "1e9"])
def test_an_impossible_sensitivity_is_refused(sensitivity: str) -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 8).ChannelSensitivity = sensitivity

    with pytest.raises(RecordingError, match="sensitivity"):
        edited(edit)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_sensitivity_that_is_no_number_is_refused(text: bytes) -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 8).ChannelSensitivity = PLACEHOLDER.decode()

    data = rewritten(edit)
    assert data.count(PLACEHOLDER) == 1
    with pytest.raises(RecordingError, match=r"which is no number|has the sensitivity (None|inf)"):
        read_dicom("a", data.replace(PLACEHOLDER, text.ljust(len(PLACEHOLDER))))


def test_a_chest_lead_of_its_own_sensitivity_is_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 8).ChannelSensitivity = "1.35"

    warnings = warnings_of(edited(edit))
    assert "different sensitivities (1.25, 1.35 uV" in warnings
    assert "lead V3 has 1.35 uV a step" in warnings


def test_a_limb_lead_of_its_own_sensitivity_is_refused() -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 1).ChannelSensitivity = "2.5"

    with pytest.raises(RecordingError, match="leads I and II say"):
        edited(edit)


def test_inverted_limb_leads_are_refused() -> None:
    def edit(file: pydicom.Dataset) -> None:
        samples = np.frombuffer(rhythm(file).WaveformData, "<i2").reshape(-1, 12).copy()
        samples[:, 0] *= -1
        rhythm(file).WaveformData = samples.tobytes()

    with pytest.raises(RecordingError, match="leads I and II say"):
        edited(edit)


def test_baseline_and_correction_factor_are_applied_and_said(valid: bytes) -> None:
    def edit(file: pydicom.Dataset) -> None:
        channel(file, 9).ChannelBaseline = "100"
        channel(file, 9).ChannelSensitivityCorrectionFactor = "1.1"

    recording, before = edited(edit), read_dicom("a", valid)
    expected = 1.1 * before.lead("V4") + 0.1
    np.testing.assert_allclose(recording.lead("V4"), expected, atol=1e-6)
    assert "corrected by the factor 1.1" in warnings_of(recording)
    assert "baselines of 0, 0.1 mV" in warnings_of(recording)


def test_a_rate_that_the_other_witnesses_deny_is_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        rhythm(file).SamplingFrequency = "500"

    warnings = warnings_of(edited(edit))
    assert "sampled at 1000 Hz, this recording at 500 Hz" in warnings
    assert "the stated RR interval is 982 ms" in warnings


def test_a_wrong_rate_in_all_groups_is_denied_by_the_beats() -> None:
    def edit(file: pydicom.Dataset) -> None:
        for group in file.WaveformSequence:
            group.SamplingFrequency = "500"

    assert "the stated RR interval is 982 ms" in warnings_of(edited(edit))


@pytest.mark.parametrize("rate", ["0", "-1000", "1e6", "5"])
def test_an_impossible_rate_is_refused(rate: str) -> None:
    def edit(file: pydicom.Dataset) -> None:
        rhythm(file).SamplingFrequency = rate

    with pytest.raises(RecordingError, match=r"sampling rate|samples at"):
        edited(edit)


def test_an_unusual_rate_is_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        rhythm(file).SamplingFrequency = "997"

    assert "997 Hz is unusual" in warnings_of(edited(edit))


@pytest.mark.parametrize(
    ("count", "element"), [(9999, "Samples"), (11, "Channels"), (0, "Samples")]
)
def test_counts_that_the_data_deny_are_refused(count: int, element: str) -> None:
    def edit(file: pydicom.Dataset) -> None:
        setattr(rhythm(file), f"NumberOfWaveform{element}", count)

    with pytest.raises(RecordingError):
        edited(edit)


def test_padding_is_missing_not_a_voltage(valid: bytes) -> None:
    def edit(file: pydicom.Dataset) -> None:
        samples = np.frombuffer(rhythm(file).WaveformData, "<i2").reshape(-1, 12).copy()
        samples[100:200, 3] = -32768
        rhythm(file).WaveformData = samples.tobytes()
        rhythm(file).add(pydicom.DataElement(0x5400100A, "OW", struct.pack("<h", -32768)))

    recording = edited(edit)
    expected = read_dicom("a", valid).signal.copy()
    expected[3, 100:200] = np.nan
    assert np.array_equal(recording.signal, expected, equal_nan=True)
    assert "Lead aVR: 100 samples are marked as missing" in warnings_of(recording)


def test_samples_beyond_the_bits_stored_are_refused() -> None:
    def edit(file: pydicom.Dataset) -> None:
        for definition in rhythm(file).ChannelDefinitionSequence:
            definition.WaveformBitsStored = 8

    with pytest.raises(RecordingError, match="says 8 bits stored"):
        edited(edit)


@pytest.mark.parametrize(
    ("kind", "bits", "name", "factor"), [("<i4", 32, "SL", 1), ("<i1", 8, "SB", 32)]
)
def test_other_widths_of_samples_are_read(
    kind: str, bits: int, name: str, factor: int, valid: bytes
) -> None:
    found = edited(lambda file: _widen(file, kind, bits, name, factor))
    lost = np.abs(found.signal - read_dicom("b", valid).signal).max()
    assert lost <= 0.00125 * (factor - 1) * 1.001


def _widen(file: pydicom.Dataset, kind: str, bits: int, name: str, factor: int) -> None:
    group = rhythm(file)
    samples = np.frombuffer(group.WaveformData, "<i2") // factor
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = bits, name
    group.WaveformData = samples.astype(kind).tobytes()
    for definition in group.ChannelDefinitionSequence:
        definition.WaveformBitsStored = bits
        definition.ChannelSensitivity = f"{1.25 * factor:g}"


def test_leads_that_begin_apart_are_refused_or_said() -> None:
    def skewed(samples: str) -> Edit:
        def edit(file: pydicom.Dataset) -> None:
            channel(file, 8).ChannelSampleSkew = samples

        return edit

    assert "begin up to 2 ms apart" in warnings_of(edited(skewed("2")))
    with pytest.raises(RecordingError, match="begin up to 20 ms apart"):
        edited(skewed("20"))


def test_a_median_beat_alone_is_no_recording() -> None:
    def edit(file: pydicom.Dataset) -> None:
        del file.WaveformSequence[0]

    with pytest.raises(RecordingError, match="MEDIAN BEAT"):
        edited(edit)


def test_an_image_is_refused() -> None:
    image = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    with pytest.raises(RecordingError, match="a DICOM file of the class"):
        read_dicom("ct", image)


def test_age_from_the_birth_date_where_none_is_stated() -> None:
    def edit(file: pydicom.Dataset) -> None:
        del file.PatientAge
        file.PatientBirthDate = "19700301"

    assert edited(edit).patient.age == 42


def test_an_age_that_the_birth_date_denies_is_said() -> None:
    def edit(file: pydicom.Dataset) -> None:
        file.PatientAge = "062Y"

    assert "the age is 62 years, by the birth date 42.0" in warnings_of(edited(edit))


@pytest.mark.parametrize(("stated", "age"), [("006M", 0.5), ("021D", 21 / 365.25)])
def test_ages_of_infants(stated: str, age: float) -> None:
    def edit(file: pydicom.Dataset) -> None:
        file.PatientAge = stated
        del file.PatientBirthDate

    assert edited(edit).patient.age == pytest.approx(age)


def test_deep_nesting_is_refused(valid: bytes) -> None:
    inner = b""
    for _ in range(2000):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = struct.pack("<HH", 0x0040, 0xA730) + b"SQ\0\0" + struct.pack("<I", len(item)) + item
    meta_end = 144 + int(pydicom.dcmread(BytesIO(valid)).file_meta.FileMetaInformationGroupLength)
    with pytest.raises(RecordingError, match="nested"):
        read_dicom("deep", valid[:meta_end] + inner)


def test_an_oversized_file_is_refused(valid: bytes) -> None:
    with pytest.raises(RecordingError, match="at most 64 MiB"):
        read_dicom("big", valid + bytes(64 * 2**20))


def test_no_mutant_passes_in_silence() -> None:
    outcomes = fuzz(mutants=150, seed=20260)
    assert [o for o in outcomes if o.verdict == "crashed"] == []
    silent = [o for o in outcomes if o.verdict == "silent" and o.category not in UNCONTRADICTED]
    assert silent == []
    verdicts = [o.verdict for o in outcomes]
    assert verdicts.count("refused") > 30
    assert verdicts.count("warned") > 5
    assert verdicts.count("same") > 10


def test_what_the_recorder_measured_is_kept() -> None:
    stated = {one.name: one.number for one in edited(lambda file: None).measurements}
    assert stated == {
        "rr_ms": 982,
        "pr_ms": 161,
        "qrs_ms": 75,
        "qt_ms": 368,
        "qtc_ms": 370,
        "p_axis_deg": 74,
        "qrs_axis_deg": 52,
        "t_axis_deg": 57,
    }  # the PP interval of 0 ms was not measured


def test_a_measurement_in_another_unit_is_left_out() -> None:
    def edit(file: pydicom.Dataset) -> None:
        for annotation in file.WaveformAnnotationSequence:
            for unit in annotation.get("MeasurementUnitsCodeSequence", []):
                unit.CodeValue = "s" if unit.CodeValue == "ms" else unit.CodeValue

    names = {one.name for one in edited(edit).measurements}
    assert names == {"p_axis_deg", "qrs_axis_deg", "t_axis_deg"}
