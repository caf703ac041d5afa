"""A CSV file gives the same records wherever its reading is cut."""

import csv
import gzip
import io
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.papers.reading import table
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import LONGEST_RECORD, Mark

BEGINNING = Mark(0, 0)
HEADER = table.Header(("id", "abstract"), ",")
fields = st.text(st.sampled_from('ab ,"\n\r;é'), max_size=12)
files = st.lists(st.tuples(fields.filter(bool), fields), max_size=12)


def written(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


async def chunks(data, size):
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


async def read(data, start=BEGINNING, size=64, batch=table.BATCH_BYTES, packed=False):
    lines = (unpacked if packed else plain)(chunks(data[start.member if packed else start.offset :], size), start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "BATCH_BYTES", batch)
        return [record async for record in table.records(lines, HEADER)]


def values(records):
    return [tuple(record.value.values()) for record in records if record and record.value]


@given(files, st.integers(1, 40), st.integers(1, 80))
@settings(max_examples=150)
async def test_cuts_change_nothing(rows, size, batch):
    data = written(rows)
    whole = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert values(await read(data, size=size, batch=batch)) == [tuple(row) for row in whole]


@given(files, st.integers(1, 40))
@settings(max_examples=60)
async def test_reading_goes_on_behind_every_record(rows, batch):
    data = written(rows)
    packed = gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])
    everything = await read(data, batch=batch)
    for number, record in enumerate(everything):
        if record:
            assert values(await read(data, record.after)) == values(everything[number + 1 :])
    for number, record in enumerate(unpacked_whole := await read(packed, batch=batch, packed=True)):
        if record:
            assert values(await read(packed, record.after, packed=True)) == values(unpacked_whole[number + 1 :])
    assert values(unpacked_whole) == values(everything)


async def test_a_stray_quotation_mark_costs_its_own_line_alone():
    data = b'1,first\n2,"never closed\n3,third\n4,fourth\n'
    records = await read(data)
    assert values(records) == [("1", "first"), ("3", "third"), ("4", "fourth")]
    [bad] = [record for record in records if record and record.value is None]
    assert bad.reason == "a quotation mark is not closed"
    assert "never closed" in bad.beginning


async def test_a_stray_quotation_mark_that_a_later_line_closes_takes_nothing_of_it():
    records = await read(b'0,t0\n1,"bad title\n2,"good" x\n3,t3\n')
    assert values(records) == [("0", "t0"), ("3", "t3")]
    bad = [record for record in records if record and record.value is None]
    assert [record.beginning.strip() for record in bad] == ['1,"bad title', '2,"good" x']


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2,a,b\n", "3 columns where the header has 2"),
        (b"2\n", "1 columns"),
        (b"2,\xff\n", "not UTF-8"),
        (b"2," + b"x" * LONGEST_RECORD + b"\n", "not UTF-8, or has a line of more than"),
        (b"2,bare\rCR\n", "holds a line end"),
        (b'2,"good" x\n', "text stands behind a closing quotation mark"),
    ],
)
async def test_a_bad_line_fails_alone(line, reason):
    records = await read(b"1,first\n" + line + b"3,third\n", size=1 << 16)
    assert values(records) == [("1", "first"), ("3", "third")]
    assert reason in next(record.reason for record in records if record and record.value is None)


@pytest.fixture
def fed(monkeypatch):
    """How many lines the csv module was given, and by which threads."""
    counted, threads, real = [0], set(), csv.reader

    def reader(lines, **form):
        def count():
            for line in lines:
                counted[0] += 1
                yield line

        threads.add(threading.get_ident())
        return real(count(), **form)

    monkeypatch.setattr(table.csv, "reader", reader)
    monkeypatch.setattr(table, "LONGEST_RECORD", 300_000)
    return counted, threads


MANY = 6_000


@pytest.mark.parametrize(
    ("text", "landed"),
    [
        (b'0,"never closed\n' + b"1,neighbour of some length, to be more than the longest record\n" * MANY, 0),
        (b'0,"never closed\n' + b"1,a neighbour of such a length that all are longer than the longest\n" * MANY, MANY),
        (
            b'1,"' + b"a line within quotation marks that holds much more than any record has\n" * MANY + b'",b\n2,b\n',
            1,
        ),
        (b'a line that opens another",b"for, whoever, reads, from, any, of, its, neighbours,"\n' * MANY, 0),
        (b'a line that opens another",b"for, whoever, reads, from, any, of, its, neighbours,"\n' * MANY + b'"\n', 0),
        (b'a line that opens another",b"for, whoever, reads, from, any, of, its, neighbours,"\n' * MANY + b'"x\n', 0),
    ],
    ids=["columns", "neighbours", "a long field", "every line", "every line, at last closed", "text behind it"],
)
async def test_quotation_marks_that_are_not_closed_have_no_line_read_again_and_again(fed, text, landed):
    counted, threads = fed
    records = await read(text, size=1 << 20, batch=50_000)
    assert len(values(records)) == landed
    assert counted[0] < 60 * MANY
    assert threading.get_ident() not in threads, "nothing else runs on the event loop meanwhile"


async def test_lines_are_counted_as_a_person_counts_them():
    records = await read(b'1,"two\nlines"\n\n2,b\n')
    assert [(record.lines if record else 1) for record in records] == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "names", "delimiter"),
    [
        ("id,abstract\n", ("id", "abstract"), ","),
        ("id;title;a, b\n", ("id", "title", "a, b"), ";"),
        ("id\ttitle\n", ("id", "title"), "\t"),
    ],
)
def test_the_header_tells_what_divides_the_columns(text, names, delimiter):
    assert table.Header.read(text) == table.Header(names, delimiter)
