"""Clients from a CSV file: each row is entered, or reported with what is wrong with it."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from shared.followups.people import clients
from shared.followups.people.models import Given, NewClient, Stored
from shared.platform.errors import InvalidInput
from shared.platform.stores.postgres import database, rows

MOST_ROWS = 1000
MOST_CHARACTERS = 2_000_000
UNREADABLE = "\ufffd"
"""What programs write in place of a character that they cannot read."""
FIELDS = ("email", "name", "phone", "property_address", "property_type", "stage", "notes", "time_zone")

WORDS = {"property_type", "stage"}
DELIMITERS = ",;\t"


def _without_nul(text: str) -> str:
    """NUL, which no store holds, is one of them: the row that has it fails, not the file."""
    return text.replace("\0", UNREADABLE)


class ClientImport(Given):
    """A CSV file with a header, its fields parted by commas, semicolons or tabs."""

    csv: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(_without_nul)]
    mapping: dict[str, str] = Field(
        default_factory=dict[str, str],
        max_length=100,
        description=f"Field of each column: {', '.join(FIELDS)}; a column that is named like a field needs none",
    )
    create_tasks: bool = Field(default=True, description="Plan the cadence for each client")
    dry_run: bool = Field(default=False, description="Only report what would be done")


_DAMAGED = "a character cannot be read; save the file as UTF-8"


class Duplicate(Stored):
    line: int
    email: str
    client_id: int | None = Field(description="The client that has the address; null: an earlier line of the file")


class BadRow(Stored):
    line: int
    problems: list[str]


class ImportReport(Stored):
    """What became of the rows; a row is named by the line that it begins on, counted from 1 as editors do."""

    created: int
    duplicates: list[Duplicate]
    failed: list[BadRow]
    ignored_columns: list[str]


async def import_clients(agent_id: int, given: ClientImport) -> ImportReport:
    """Enter the clients of a file. A row that is wrong, or whose address is known, keeps no other out.

    Raises:
        InvalidInput: the file has no header, no column of addresses or too many rows, or a field is unknown.
    """
    parsed, ignored = _parsed(given)
    failed: list[BadRow] = []
    duplicates: list[Duplicate] = []
    new: dict[str, tuple[int, NewClient]] = {}
    for line, fields in parsed:
        if unreadable := [field for field, value in fields.items() if UNREADABLE in value]:
            failed.append(BadRow(line=line, problems=[f"{field}: {_DAMAGED}" for field in unreadable]))
            continue
        try:
            client = NewClient.model_validate({**fields, "create_tasks": given.create_tasks})
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            failed.append(BadRow(line=line, problems=[_message(".".join(map(str, e["loc"])), e["msg"]) for e in found]))
            continue
        if client.email in new:
            duplicates.append(Duplicate(line=line, email=client.email, client_id=None))
        else:
            new[client.email] = (line, client)
    async with database() as connection:
        created = 0
        for line, client in new.values():
            existing = await rows(
                connection,
                "select id from followups.clients where agent_id = %s and email = %s and not is_deleted",
                (agent_id, client.email),
            )
            if existing:
                duplicates.append(Duplicate(line=line, email=client.email, client_id=existing[0]["id"]))
            elif given.dry_run or await clients.insert(connection, agent_id, client):
                created += 1
    duplicates.sort(key=lambda one: one.line)
    return ImportReport(created=created, duplicates=duplicates, failed=failed, ignored_columns=ignored)


def _parsed(given: ClientImport) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """The rows with their line numbers, by field, and the columns that are no field."""
    if unknown := sorted(set(given.mapping.values()) - set(FIELDS)):
        raise InvalidInput(f"There is no field {', '.join(unknown)}; there are {', '.join(FIELDS)}.", field="mapping")
    # What is too long for a field fails its row, not the file. The limit is the process's: others may need more.
    csv.field_size_limit(max(csv.field_size_limit(), MOST_CHARACTERS))
    text = given.csv.lstrip("\ufeff")
    # Spreadsheets write semicolons where the comma is a decimal point.
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    # Rows end as files have it: a separator within a cell, such as U+2028, ends none.
    reader = csv.reader(StringIO(text, newline=""), strict=True, delimiter=delimiter)
    found: list[tuple[int, dict[str, Any]]] = []
    try:
        header = [name.strip() for name in next(reader, list[str]())]
        fields = [given.mapping.get(name, name.lower() if name.lower() in FIELDS else "") for name in header]
        if "email" not in fields:
            raise InvalidInput(
                "No column is the e-mail address.", field="mapping", remedy='Map one: {"E-Mail": "email"}.'
            )
        following = reader.line_num + 1
        for row in reader:
            line, following = following, reader.line_num + 1
            if len(found) == MOST_ROWS:
                raise InvalidInput(f"More than {MOST_ROWS} rows were sent.", field="csv", remedy="Send it in parts.")
            values = {
                field: value.strip() for field, value in zip(fields, row, strict=False) if field and value.strip()
            }
            values |= {field: values[field].lower() for field in WORDS & values.keys()}
            if values:
                found.append((line, values))
    except csv.Error as error:
        raise InvalidInput(f"Line {reader.line_num} is no CSV: {error}.", field="csv") from None
    return found, [name for name, field in zip(header, fields, strict=True) if not field]


def _message(field: str, message: str) -> str:
    return f"{field}: {message.removeprefix('Value error, ')}"
