"""Bytes in chunks of any size, read as records of JSON lines."""

from shared.papers.reading import jsonl
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import Mark


async def chunks(data, size):
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


async def read(data, size=7, packed=False):
    return [one async for one in jsonl.records((unpacked if packed else plain)(chunks(data, size), Mark(0, 0)))]
