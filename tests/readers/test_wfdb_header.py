"""The strict header parser: what other readers let through is refused, real spellings are read."""

from __future__ import annotations

import pytest

from ecgcore.readers.wfdb_header import looks_like_header, parse_header
from ecgcore.recording import RecordingError

LINE = "a.dat 16 1000(0)/mV 16 0 5 77 0 V1"


def header(line: str = LINE, record: str = "a 1 500 5000") -> bytes:
    return f"{record}\n{line}\n# Age: 5\n".encode()


def test_all_fields_of_a_usual_header():
    parsed = parse_header(header("a.mat 16x1+24 1000.0(-3)/mv 16 0 -5 -77 0 avr", "a 1 500 10 x y"))
    assert (parsed.record_name, parsed.sampling_rate, parsed.samples) == ("a", 500.0, 10)
    assert (parsed.started, parsed.comments) == ("x y", ("Age: 5",))
    (signal,) = parsed.signals
    assert (signal.file_name, signal.storage, signal.byte_offset) == ("a.mat", 16, 24)
    assert (signal.gain, signal.baseline, signal.resolution) == (1000.0, -3, 16)
    assert (signal.first_value, signal.checksum, signal.lead) == (-5, -77, "aVR")


@pytest.mark.parametrize(
    ("field", "gain"),
    [("1000/mV", 1000), ("200", 200), ("1/uV", 1000), ("1(0)/µV", 1000), ("5e5(0)/V", 500)],
)
def test_gain_is_counts_per_millivolt_whatever_the_unit(field: str, gain: float):
    assert parse_header(header(LINE.replace("1000(0)/mV", field))).signals[0].gain == gain


def test_baseline_is_the_adc_zero_where_it_is_not_given():
    parsed = parse_header(header("a.dat 212 200 11 1024 995 -22131 0 MLII"))
    assert (parsed.signals[0].baseline, parsed.signals[0].lead) == (1024, "II")


@pytest.mark.parametrize(
    "gain",
    ["2OO", "nan", "inf", "-inf", "0", "-1000", "1e-9", "1e308", "1_000", "٥", "1000(0)/mmHg",
     "1000(x)/mV", "1000/MV", "1000(0", "1000(0)/", "0x10"],
)  # fmt: skip
def test_implausible_gain_or_unit_is_refused(gain: str):
    with pytest.raises(RecordingError, match=r"gain|unit|plain text"):
        parse_header(header(LINE.replace("1000(0)/mV", gain)))


@pytest.mark.parametrize("rate", ["-500", "nan", "inf", "0", "5e2", "1e9", "49", "5OO", "500,0"])
def test_implausible_rate_is_refused(rate: str):
    with pytest.raises(RecordingError, match="sampling rate"):
        parse_header(header(record=f"a 1 {rate} 5000"))


def test_counter_frequency_after_the_rate_is_understood():
    assert parse_header(header(record="a 1 360/720(0) 10")).sampling_rate == 360.0


@pytest.mark.parametrize(
    "record",
    ["a 1", "a", "", "a x 500 10", "a 0 500 10", "a 65 500 10", "a/3 1 500 10", "../a 1 500 10",
     "s3://b/a 1 500 10", "a 2 500 10", "a 1 500 10.5", "a 1 500 -10", "a 1 500 08:15:13"],
)  # fmt: skip
def test_a_record_line_that_is_not_the_grammar_is_refused(record: str):
    with pytest.raises(RecordingError):
        parse_header(header(record=record))


@pytest.mark.parametrize(
    "name", ["../a.dat", "/etc/passwd", "s3://b/a", "sub/a.dat", "~", "-", ".hidden", "C:\\a.dat"]
)
def test_a_signal_file_that_is_not_a_plain_name_is_refused(name: str):
    with pytest.raises(RecordingError, match="signal file name"):
        parse_header(header(LINE.replace("a.dat", name)))


@pytest.mark.parametrize("layout", ["17", "16x2", "16:1000000000", "x16", "16+", "0", "1"])
def test_an_unknown_or_uneven_layout_is_refused(layout: str):
    with pytest.raises(RecordingError, match="storage format"):
        parse_header(header(LINE.replace(" 16 1000", f" {layout} 1000")))


@pytest.mark.parametrize(
    ("line", "field"),
    [("a.dat 16 1000(0)/mV 16 0 125 I", "checksum missing|checksum 'I'|lead name|checksum"),
     ("a.dat 16 1000(0)/mV 1x 0 125 5 0 I", "ADC resolution '1x'"),
     ("a.dat 16 1000(0)/mV 16 0 1.5 5 0 I", "first value '1.5'"),
     ("a.dat 16 1000(0)/mV 16 0 5 5 0", "lead name missing")],
)  # fmt: skip
def test_the_error_names_the_wrong_field_of_a_signal_line(line: str, field: str):
    with pytest.raises(RecordingError, match=field):
        parse_header(header(line))


def test_lines_too_many_are_refused():
    with pytest.raises(RecordingError, match="2 signal lines in a header that announces 1"):
        parse_header(header(LINE + "\n" + LINE))


def test_unknown_lead_is_refused_and_a_known_other_channel_left_out():
    with pytest.raises(RecordingError, match="lead name"):
        parse_header(header(LINE.replace("V1", "W1")))
    assert parse_header(header(LINE.replace("V1", "vx"))).signals[0].lead is None


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x85", "\u2028", "é"])
def test_letters_that_are_not_plain_are_refused_outside_comments(letter: str):
    with pytest.raises(RecordingError):
        parse_header(header(LINE.replace("V1", "V1" + letter)))


def test_comments_may_be_of_any_encoding():
    assert parse_header(header() + "# Müller".encode()).comments[-1] == "Müller"
    assert parse_header(header() + "# Müller".encode("latin-1")).comments[-1] == "Müller"


def test_a_header_over_the_limit_is_refused():
    with pytest.raises(RecordingError, match="a header of"):
        parse_header(header() + b"#" * 300_000)


def test_what_looks_like_a_header():
    assert looks_like_header(b"# comment\n\n a 12 500 5000\n")
    assert looks_like_header(b"\xef\xbb\xbfa 12\r\n")
    assert not looks_like_header(b"time,I,II\n0,1,2\n")
    assert not looks_like_header(b"")
