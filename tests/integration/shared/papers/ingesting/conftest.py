"""Files of one source in every format."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq

from shared.papers.sources.table import ColumnMapping

MAPPING = ColumnMapping(source_id="key", title="name", abstract="text", authors="who", primary_date="day")


def table(rows):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["key", "name", "text", "who", "day"])
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows, group=10):
    out = io.BytesIO()
    columns = dict(zip(["key", "name", "text", "who", "day"], zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), out, row_group_size=group)
    return out.getvalue()


ROWS = [(f"k{n}", f"Paper {n}", f"Line one\nline two of {n}", "Ann A; Bob B", "2020-02-03") for n in range(35)]
