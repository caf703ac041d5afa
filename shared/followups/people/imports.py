"""Clients from a CSV file: each row is entered, or reported with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from shared.followups.people import clients, csv_files
from shared.followups.people.models import NewClient, ResponseBody
from shared.platform.errors import InvalidInput
from shared.platform.models import RequestBody
from shared.platform.stores.postgres import database, rows

MOST_ROWS = 1000
UNREADABLE = "\ufffd"
"""What programs write in place of a character that they cannot read."""
FIELDS = ("email", "name", "phone", "property_address", "property_type", "stage", "notes", "time_zone")

WORDS = {"property_type", "stage"}


def _without_nul(text: str) -> str:
    """NUL, which no store holds, is one of them: the row that has it fails, not the file."""
    return text.replace("\0", UNREADABLE)


class ClientImport(RequestBody):
    """A CSV file with a header, its cells parted by commas, semicolons or tabs, or as its first line `sep=` says."""

    csv: Annotated[str, Field(min_length=1, max_length=csv_files.MOST_CHARACTERS), AfterValidator(_without_nul)]
    mapping: dict[str, str] = Field(
        default_factory=dict[str, str],
        max_length=100,
        description=f"Field of each column: {', '.join(FIELDS)}; a column that is named like a field needs none",
    )
    create_tasks: bool = Field(default=True, description="Plan the cadence for each client")
    dry_run: bool = Field(default=False, description="Only report what would be done")


_DAMAGED = "a character cannot be read; save the file as UTF-8"


class Duplicate(ResponseBody):
    """A row that was not entered, since its address is known."""

    line: int
    email: str
    client_id: int | None = Field(description="The client that has the address; null: an earlier line of the file")


class BadRow(ResponseBody):
    """A row that was not entered, with what is wrong with each of its fields."""

    line: int
    problems: list[str]


class ImportReport(ResponseBody):
    """What became of the rows; a row is named by the line that it begins on, counted from 1 as editors do."""

    created: int
    duplicates: list[Duplicate]
    failed: list[BadRow]
    ignored_columns: list[str]


async def import_clients(agent_id: int, request: ClientImport) -> ImportReport:
    """Enter the clients of a file. A row that is wrong, or whose address is known, keeps no other out.

    Raises:
        InvalidInput: the file has no header, no column of addresses or too many rows, or the mapping does not fit it.
    """
    header, file_rows = csv_files.read(request.csv)
    fields = _fields(header, request.mapping)
    failed: list[BadRow] = []
    duplicates: list[Duplicate] = []
    new: dict[str, tuple[int, NewClient]] = {}
    for number, row in enumerate(file_rows):
        if number == MOST_ROWS:
            raise InvalidInput(f"More than {MOST_ROWS} rows were sent.", field="csv", remedy="Send it in parts.")
        client = _client(row, fields, create_tasks=request.create_tasks)
        if isinstance(client, list):
            failed.append(BadRow(line=row.line, problems=client))
        elif client.email in new:
            duplicates.append(Duplicate(line=row.line, email=client.email, client_id=None))
        else:
            new[client.email] = (row.line, client)
    async with database() as connection:
        taken = await rows(
            connection,
            "select email, id from followups.clients where agent_id = %s and email = any(%s) and not is_deleted",
            (agent_id, list(new)),
        )
        for client_row in taken:
            line, _ = new.pop(client_row["email"])
            duplicates.append(Duplicate(line=line, email=client_row["email"], client_id=client_row["id"]))
        to_enter = [client for _, client in new.values()]
        created = len(to_enter) if request.dry_run else len(await clients.insert(connection, agent_id, to_enter))
    duplicates.sort(key=lambda duplicate: duplicate.line)
    ignored = [name for name, field in zip(header, fields, strict=True) if not field]
    return ImportReport(created=created, duplicates=duplicates, failed=failed, ignored_columns=ignored)


def _fields(header: list[str], mapping: dict[str, str]) -> list[str]:
    """The field of each column; "" for one that is none."""
    if unknown := sorted(set(mapping.values()) - set(FIELDS)):
        raise InvalidInput(f"There is no field {', '.join(unknown)}; there are {', '.join(FIELDS)}.", field="mapping")
    if absent := sorted(mapping.keys() - set(header)):
        raise InvalidInput(f"The file has no column {', '.join(absent)}; it has {', '.join(header)}.", field="mapping")
    fields = [mapping.get(name, name.lower() if name.lower() in FIELDS else "") for name in header]
    if "email" not in fields:
        raise InvalidInput("No column is the e-mail address.", field="mapping", remedy='Map one: {"E-Mail": "email"}.')
    for field in FIELDS:
        if len(columns := [name for name, of_column in zip(header, fields, strict=True) if of_column == field]) > 1:
            raise InvalidInput(
                f"The columns {' and '.join(columns)} are both {field}.",
                field="mapping",
                remedy="Map one of them, and rename the other.",
            )
    return fields


def _client(row: csv_files.Row, fields: list[str], *, create_tasks: bool) -> NewClient | list[str]:
    """The client of a row, or what is wrong with it."""
    if row.problem:
        return [row.problem]
    values: dict[str, Any] = {
        field: cell.strip() for field, cell in zip(fields, row.cells, strict=False) if field and cell.strip()
    }
    values |= {field: values[field].lower() for field in WORDS & values.keys()}
    if unreadable := [field for field, value in values.items() if UNREADABLE in value]:
        return [f"{field}: {_DAMAGED}" for field in unreadable]
    try:
        return NewClient.model_validate({**values, "create_tasks": create_tasks})
    except ValidationError as error:
        return list(_messages(error))


def _messages(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        yield f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].removeprefix('Value error, ')}"
