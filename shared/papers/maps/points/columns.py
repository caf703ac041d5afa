"""Rows of numbers as columns of arrays: by binary COPY, since a million rows one by one would take seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import AsyncConnection

_HEADER_BYTES = 19
_END_BYTES = 2
_TYPES = {"int2": ">i2", "int4": ">i4", "float4": ">f4"}


async def columns(
    connection: AsyncConnection[Any], query: str, values: Mapping[str, Any], types: Mapping[str, str]
) -> dict[str, Any]:
    """The columns of a query of ours, by the names that `types` gives them.

    Args:
        connection: where it is asked.
        query: of columns of just these types, in this order, of which none is null.
        values: of the query's parameters.
        types: int2, int4 or float4, of each column.
    """
    import numpy as np  # noqa: PLC0415 - loads where points are asked for

    async with connection.cursor().copy(f"copy ({query}) to stdout (format binary)".encode(), values) as copy:
        data = b"".join([bytes(part) async for part in copy])
    # A row is the number of its fields, and of each field its length and its bytes.
    fields: list[tuple[str, str]] = [("", ">i2")]
    for name, kind in types.items():
        fields += [(f"{name} bytes", ">i4"), (name, _TYPES[kind])]
    row = np.dtype(fields)
    count, rest = divmod(len(data) - _HEADER_BYTES - _END_BYTES, row.itemsize)
    assert not rest, "a column is of another type, or null"
    table: Any = np.frombuffer(data, row, count, _HEADER_BYTES)
    return {name: table[name] for name in types}
