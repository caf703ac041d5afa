"""Feeds: pages of documents, results of queries, and the change feed."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from local.cosmos.errors import BadQueryError, BadRequestError
from local.cosmos.items import Items
from local.cosmos.json_types import is_array, is_object
from local.cosmos.sql.parser import parse
from local.cosmos.sql.run import Row, run
from local.cosmos.sql.syntax import Query, SqlError

_PAGE, _LARGEST_PAGE = 100, 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a feed's results, and where to go on; None when nothing is left."""

    results: list[Any]
    continuation: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a feed was read.

    Where rows come document by document: `last` is the position of the last document and `taken` counts its rows that
    were given, so that what is deleted between two pages shifts nothing. Other queries count all their rows.
    """

    last: int
    taken: int


def page_size(headers: Mapping[str, str]) -> int:
    """Raises BadRequestError if x-ms-max-item-count is no number, 0, or over the limit."""
    text = headers.get("x-ms-max-item-count", "-1")
    if text == "-1":
        return _PAGE
    if not text.isdecimal() or int(text) == 0:
        raise BadRequestError(f"The x-ms-max-item-count {text!r} is -1 or a positive number.")
    return min(int(text), _LARGEST_PAGE)


def read_feed(items: Items, partition: str | None, headers: Mapping[str, str]) -> Page:
    place = _place(headers.get("x-ms-continuation"))
    rows = (Row(item.sequence, item.document) for item in items.all(partition, after=place.last - 1))
    return _page(rows, page_size(headers), place, streams=True)


def query(items: Items, partition: str | None, body: Any, headers: Mapping[str, str]) -> Page:
    """Answer a query over one partition, or over all.

    Raises:
        BadRequestError: with Azure's wording of what is wrong with the query.
    """
    text, parameters = statement(body)
    place = _place(headers.get("x-ms-continuation"))
    try:
        parsed = parse(text, parameters)
        if partition is None:
            _refuse_crossing(parsed)
        after = place.last - 1 if parsed.streams else -1
        documents = ((item.sequence, item.document) for item in items.all(partition, after=after))
        return _page(run(parsed, documents), page_size(headers), place, streams=parsed.streams)
    except SqlError as error:
        raise BadQueryError(error.code, error.message) from error


def _refuse_crossing(parsed: Query) -> None:
    if parsed.group or (parsed.aggregates and not parsed.value):
        raise BadRequestError("Cross partition query only supports 'VALUE <AggregateFunc>' for aggregates.")


def statement(body: Any) -> tuple[str, dict[str, Any]]:
    """The text of a query and the values of its parameters, from the body of a request."""
    text: Any = body.get("query") if is_object(body) else None
    given: Any = (body.get("parameters") if is_object(body) else None) or []
    if not isinstance(text, str) or not is_array(given):
        raise BadRequestError("A query is an object with the text 'query' and the list 'parameters'.")
    parameters: dict[str, Any] = {}
    for one in given:
        if not is_object(one) or not isinstance(one.get("name"), str):
            raise BadRequestError("A parameter of a query has a name and a value.")
        parameters[one["name"]] = one.get("value")
    return text, parameters


def _place(token: str | None) -> _Place:
    if token is None:
        return _Place(-1, 0)
    try:
        last, taken = json.loads(token)
        return _Place(int(last), int(taken))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequestError("Invalid Continuation Token") from error


def _page(rows: Iterable[Row], size: int, place: _Place, *, streams: bool) -> Page:
    rest = _behind(rows, place) if streams else islice(rows, place.taken, None)
    found = list(islice(rest, size + 1))
    results = found[:size]
    continuation = None
    if len(found) > size:
        last = results[-1].position if streams else place.last
        same = sum(row.position == last for row in results) if streams else size
        continuation = json.dumps([last, same + (place.taken if last == place.last else 0)])
    return Page([row.value for row in results], continuation)


def _behind(rows: Iterable[Row], place: _Place) -> Iterator[Row]:
    to_skip = place.taken
    for row in rows:
        if row.position == place.last and to_skip:
            to_skip -= 1
        else:
            yield row


@dataclass(frozen=True, slots=True)
class Changes:
    """Documents changed, oldest change first, and the etag to go on from."""

    documents: list[dict[str, Any]]
    etag: str


def changes(items: Items, partition: str | None, headers: Mapping[str, str]) -> Changes:
    """The change feed in its mode "latest version": each document once, with its last change; deletions do not show."""
    since = headers.get("if-modified-since")
    start = headers.get("if-none-match")
    latest = items.container.lsn
    if start == "*":
        return Changes([], f'"{latest}"')
    after, at = 0, 0.0
    if start is not None:
        try:
            after = int(start.strip('"'))
        except ValueError as error:
            raise BadRequestError("The etag of a change feed is the one that an answer gave.") from error
    elif since is not None:
        at = _date(since).timestamp()
    found = list(islice(items.changes(after, at, partition), page_size(headers)))
    return Changes([item.document for item in found], f'"{found[-1].lsn if found else max(latest, after)}"')


def _date(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError as error:
        raise BadRequestError("If-Modified-Since is an RFC 1123 date.") from error
