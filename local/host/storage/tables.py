"""Table inputs and outputs. Loaded when an app has one."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableErrorCode, TableTransactionError, TransactionOperation, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.functions import meta

from local.host.core.functions import Binding, Function
from local.host.core.logs import warn_once
from local.host.core.newtonsoft import compact
from local.host.settings.connections import Clients, Connection, credential
from local.host.settings.expressions import resolve_parameters
from local.host.storage.table_entities import entities_of, shown, stored
from local.host.worker.calls import Call

# So many rows the service takes in one transaction.
_MOST_ROWS = 100
_PARAMETER = re.compile(r"\{[^{}]+\}")
_LITERAL = re.compile(r"\s*([+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|true|false)\s*\Z", re.IGNORECASE)
_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}\Z")
_Batch = dict[str, tuple[Any, ...]]


class Tables(Clients[TableServiceClient]):
    """The table services of an app's inputs and outputs."""

    service = "storage"

    def connect(self, connection: Connection) -> TableServiceClient:
        """A new client. Raises ValueError when the connection string cannot be read."""
        if connection.connection_string is not None:
            return TableServiceClient.from_connection_string(connection.connection_string, retry_total=2)
        address = connection.need("tableServiceUri", "serviceUri", "endpoint")
        return TableServiceClient(address, credential=credential(connection), retry_total=2)

    async def read(self, function: Function, binding: Binding, call: Call) -> meta.Datum | None:
        """The rows of the partition that the filter lets through, as a JSON array, whatever the row key is."""
        table = self._table(function, binding, call)
        partition_key = _key(function, binding, call, "partitionKey")
        if binding.text("rowKey"):
            warn_once(
                "Function '%s': the row_key of the table input '%s' counts for nothing: as in Azure the function gets "
                "an array of all rows of the partition. Filter by it: filter=\"RowKey eq '...'\".",
                function.name,
                binding.name,
            )
        conditions = [] if partition_key is None else ["PartitionKey eq @partition"]
        if given := _filter(function, binding, call):
            conditions.append(given)
        take = int(binding.text("take") or 0)
        size = take if take > 0 else None
        pages = (
            table.query_entities(
                " and ".join(conditions), results_per_page=size, parameters={"partition": partition_key}
            )
            if conditions
            else table.list_entities(results_per_page=size)
        )
        rows: list[dict[str, Any]] = []
        async for entity in pages:
            rows.append(shown(entity))
            if len(rows) == take:
                break
        return meta.Datum(compact(rows), "json")

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Insert the rows, up to a hundred of one partition in one transaction; the table is made if there is none.

        A row that is there already fails the run, unless an ETag of its own says that it may be replaced.
        """
        table = self._table(function, binding, call)
        keys = [_key(function, binding, call, name) for name in ("partitionKey", "rowKey")]
        open_batches: dict[str, _Batch] = {}
        for row in entities_of(value):
            entity, etag = stored(row, *keys)
            batch = open_batches.setdefault(entity["PartitionKey"], {})
            if entity["RowKey"] in batch or len(batch) == _MOST_ROWS:
                await _submit(table, batch)
                batch.clear()
            batch[entity["RowKey"]] = _operation(entity, etag)
        for batch in open_batches.values():
            await _submit(table, batch)

    def _table(self, function: Function, binding: Binding, call: Call) -> TableClient:
        name = resolve_parameters(binding.text("tableName"), call.data, function=function.name, now=call.now)
        if not _TABLE.match(name):
            raise ValueError(
                f"'{name}' is not a valid name for an Azure table: 3 to 63 letters and digits, a letter first."
            )
        return self.client(binding.text("connection")).get_table_client(name)


def _key(function: Function, binding: Binding, call: Call, name: str) -> str | None:
    if binding.fields.get(name) is None:
        return None
    return resolve_parameters(binding.text(name), call.data, function=function.name, now=call.now)


def _filter(function: Function, binding: Binding, call: Call) -> str:
    """The OData filter; what stands in quotes is escaped. Raises ValueError for what could change its sense."""
    text = binding.text("filter").strip()

    def resolve(parameter: str) -> str:
        return resolve_parameters(parameter, call.data, function=function.name, now=call.now)

    def value(match: re.Match[str]) -> str:
        found = resolve(match[0])
        if text.count(f"'{match[0]}'") == text.count(match[0]):
            return found.replace("'", "''")
        if not _LITERAL.match(found):
            raise ValueError(f"An invalid parameter value was specified for filter parameter '{match[0][1:-1]}'.")
        return found

    return resolve(text) if _PARAMETER.fullmatch(text) else _PARAMETER.sub(value, text)


def _operation(entity: Mapping[str, Any], etag: str) -> tuple[Any, ...]:
    if not etag:
        return TransactionOperation.CREATE, entity
    if etag == "*":
        return TransactionOperation.UPSERT, entity, {"mode": UpdateMode.REPLACE}
    conditions = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
    return TransactionOperation.UPDATE, entity, conditions


async def _submit(table: TableClient, batch: _Batch) -> None:
    if not batch:
        return
    try:
        await table.submit_transaction(batch.values())
    except TableTransactionError as error:
        if getattr(error, "error_code", None) != TableErrorCode.TABLE_NOT_FOUND:  # which the SDK sets, undeclared
            raise
        with contextlib.suppress(ResourceExistsError):  # another output was faster
            await table.create_table()
        await table.submit_transaction(batch.values())
