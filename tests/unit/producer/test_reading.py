"""Reading survives any bytes and loses none without saying so."""

import csv
import gzip
import io
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import SourceError
from producer.reading.csv import MAX_RECORD_LINES, BadRow, CsvRows, Row
from producer.reading.files import FileReader
from producer.reading.gunzip import Gunzip
from producer.reading.lines import MAX_LINE, Lines
from tests.unit.producer.builders import HEADER, csv_text, row

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
CUTS = st.lists(st.integers(0, 400), max_size=8)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


def read_csv(data: bytes, cuts: list[int] | None = None) -> list[Row | BadRow]:
    lines, rows = Lines(), CsvRows()
    found = [each for piece in pieces(data, cuts or []) for each in rows.feed(lines.feed(piece))]
    return [*found, *rows.feed(lines.close()), *rows.close()]


def read_file(data: bytes, cuts: list[int] | None = None) -> tuple[list[Row | BadRow], str | None]:
    reader = FileReader("file.csv", "category_id")
    found = [each for part in pieces(data, cuts or []) for piece in reader.feed(part) for each in piece.rows]
    found += [each for piece in reader.close() for each in piece.rows]
    return found, reader.failure


@given(table=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=10), cuts=CUTS)
def test_what_a_csv_writer_wrote_is_read_back_however_it_is_cut(table: list[tuple[str, ...]], cuts: list[int]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("a", "b", "c"), *table])
    read = read_csv(text.getvalue().encode(), cuts)
    few_lines = [cells for cells in table if "".join(cells).count("\n") < MAX_RECORD_LINES]
    assert [tuple(each.values) for each in read if isinstance(each, Row)] == few_lines


@given(data=st.binary(max_size=400), cuts=CUTS)
def test_any_bytes_are_read_the_same_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    assert read_csv(b"a,b\n" + data, cuts) == read_csv(b"a,b\n" + data)


@given(lines=st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=12))
def test_every_line_is_in_a_row_or_in_a_bad_row(lines: list[bytes]) -> None:
    read = read_csv(b"\n".join([b"a,b", *lines]))
    kept = b"\n".join(each.as_read() if isinstance(each, Row) else each.raw for each in read)
    assert [line for line in kept.split(b"\n") if line] == [
        line.removesuffix(b"\r") for line in lines if line.removesuffix(b"\r")
    ]


@given(before=st.integers(0, 5), after=st.integers(0, 60), stray=st.sampled_from([b'"', b'1,"2', b'"1","2']))
def test_a_quote_that_is_not_closed_costs_its_own_line_alone(before: int, after: int, stray: bytes) -> None:
    read = read_csv(b"\n".join([b"a,b", *[b"1,2"] * before, stray, *[b"3,4"] * after]))
    assert [isinstance(each, Row) for each in read] == [True] * before + [False] + [True] * after
    assert [each.line for each in read] == list(range(2, before + after + 3))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"1", "1 values where the header has 2"),
        (b"1,2,3", "3 values"),
        (b"1,\x00", "NUL"),
        (b"1,\xff", "not UTF-8"),
        (b'1,"\xff', "not UTF-8"),
        (b'1,"2"3', "quotes"),
        (b'1,"2', "not closed"),
    ],
)
def test_a_bad_line_says_why_and_the_next_is_read(line: bytes, told: str) -> None:
    bad, good = read_csv(b"a,b\n" + line + b"\n3,4")
    assert isinstance(bad, BadRow)
    assert told in bad.bad.reason
    assert (bad.line, bad.raw) == (2, line)
    assert good == Row(3, ["3", "4"])


def test_a_line_longer_than_any_event_is_cut_and_the_next_is_read() -> None:
    bad, good = read_csv(b"a,b\n" + b"x" * (3 * MAX_LINE) + b"\n3,4", list(range(0, 3 * MAX_LINE, MAX_LINE // 3)))
    assert isinstance(bad, BadRow)
    assert len(bad.raw) == MAX_LINE
    assert good == Row(3, ["3", "4"])


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_nothing() -> None:
    assert read_csv(b"\xef\xbb\xbfa,b\r\n\r\n1,2\r\n\n") == [Row(3, ["1", "2"])]


@given(text=st.binary(max_size=2000), cuts=CUTS, members=st.integers(1, 3))
def test_gzip_of_several_members_comes_out_whole_however_it_is_cut(text: bytes, cuts: list[int], members: int) -> None:
    gunzip = Gunzip()
    data = b"".join([gzip.compress(text)] * members)
    out = b"".join([part for piece in pieces(data, cuts) for part in gunzip.feed(piece)])
    assert out + b"".join(gunzip.close()) == text * members
    assert gunzip.failure is None


def test_a_small_gzip_of_a_huge_text_is_never_whole_in_memory() -> None:
    largest = max(len(part) for part in Gunzip().feed(gzip.compress(b"\0" * 50_000_000)))
    assert largest <= 256 * 1024


@given(keep=st.integers(40, 4000))
def test_the_rows_before_a_cut_in_a_gzip_are_read_and_the_cut_is_one_bad_row(keep: int) -> None:
    text = csv_text([row(second) for second in range(200)])
    data = gzip.compress(text)
    cut = data[: min(keep, len(data) - 1)]
    inflated = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(cut)
    if b"\n" not in inflated:
        with pytest.raises(SourceError, match="cut off"):
            read_file(cut)
        return
    read, failure = read_file(cut)
    assert failure is not None
    *rows, last = read
    assert len(rows) == inflated.count(b"\n") - 1
    assert all(isinstance(each, Row) for each in rows)
    assert isinstance(last, BadRow)
    assert "cut off" in last.bad.reason
    assert last.raw == inflated.rpartition(b"\n")[2]
    assert last.line == inflated.count(b"\n") + 1


@pytest.mark.parametrize("data", [b"1,2,3\n4,5,6\n", HEADER[10:] + b"\n", b"\x00\xff\x00\n"])
def test_a_file_without_the_header_says_so(data: bytes) -> None:
    with pytest.raises(SourceError, match="its first line does not name"):
        read_file(data)


@pytest.mark.parametrize("data", [b"", b"\n\n", HEADER, HEADER + b"\n", gzip.compress(b"", mtime=0)])
def test_a_file_without_rows_is_no_error(data: bytes) -> None:
    assert read_file(data) == ([], None)


@given(data=st.binary(max_size=300))
def test_no_bytes_make_reading_raise_anything_but_what_is_meant_for_a_person(data: bytes) -> None:
    for content in (data, HEADER + b"\n" + data, gzip.compress(HEADER + b"\n")[:-4] + data):
        try:
            read_file(content)
        except SourceError as error:
            assert "file.csv" in str(error)  # noqa: PT017 - most bytes are no file of events
