"""Blob inputs and outputs. Loaded when an app has one."""

import contextlib
import json
import os
from types import SimpleNamespace
from typing import Any, cast

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.functions import meta
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from local.host.core.functions import SDK_TYPE, Binding, Function
from local.host.core.logs import current_invocation, warn_once
from local.host.settings.connections import Clients, Connection, credential, find_connection
from local.host.settings.expressions import resolve_parameters, template_pattern
from local.host.storage.blob_properties import properties
from local.host.storage.outages import RETRIES
from local.host.worker.calls import Call
from local.host.worker.messages import metadata_data, with_json_of

_PARENT = "AzureWebJobsParentId"


class Blobs(Clients[BlobServiceClient]):
    """The blob services of an app's triggers, inputs and outputs."""

    service = "storage"

    def connect(self, connection: Connection) -> BlobServiceClient:
        """A new client. Raises ValueError when the connection string cannot be read."""
        if connection.connection_string is not None:
            return BlobServiceClient.from_connection_string(connection.connection_string, **RETRIES)
        address = connection.need("blobServiceUri", "serviceUri")
        return BlobServiceClient(address, credential(connection), **RETRIES)

    async def read(self, function: Function, binding: Binding, call: Call) -> meta.Datum | None:
        """The blob's content, None when there is no such blob; or where it lies, for a function that takes a client."""
        if function.inputs[binding.name].converter == SDK_TYPE:
            path = resolve_parameters(binding.text("path"), call.data, function=function.name, now=call.now)
            return reference_datum(binding, path)
        container, name = self._place(function, binding, call)
        try:
            stream = await container.get_blob_client(name).download_blob(decompress=False)
            data = await stream.readall()
        except ResourceNotFoundError:
            return meta.Datum(None, None)
        return content_datum(function, binding, data)

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Write the blob as it is given; the container is made when it does not exist."""
        container, name = self._place(function, binding, call)
        content = cast("bytes | str", value.value)
        data = content.encode() if isinstance(content, str) else content
        metadata = await _metadata(container, name)
        try:
            await container.upload_blob(name, data, overwrite=True, metadata=metadata)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):  # another output was faster
                await container.create_container()
            await container.upload_blob(name, data, overwrite=True, metadata=metadata)

    async def call_for(self, function: Function, path: str, reason: str) -> Call:
        """What a blob function is given for the blob at `container/name`. Raises AzureError when there is none."""
        container, _, name = path.strip("/").partition("/")
        client = self.client(function.trigger.text("connection")).get_blob_client(container, name)
        blob = await client.get_blob_properties()
        data = await (await client.download_blob(decompress=False)).readall()
        return blob_call(function, f"{container}/{name}", client.url, blob=blob, data=data, reason=reason)

    def _place(self, function: Function, binding: Binding, call: Call) -> tuple[ContainerClient, str]:
        path = resolve_parameters(binding.text("path"), call.data, function=function.name, now=call.now)
        container, _, name = path.strip("/").partition("/")
        if not name:
            raise ValueError(f"The path '{path}' of the binding '{binding.name}' names a container, but no blob in it.")
        return self.client(binding.text("connection")).get_container_client(container), name


async def _metadata(container: ContainerClient, name: str) -> dict[str, str]:
    """What the blob has already, and the id of the run that writes it."""
    kept: dict[str, str] = {}
    with contextlib.suppress(ResourceNotFoundError):
        kept = (await container.get_blob_client(name).get_blob_properties()).metadata or {}
    run = current_invocation.get()
    return {**kept, _PARENT: run.invocation_id} if run is not None else kept


def reference_datum(binding: Binding, path: str) -> meta.Datum:
    """Where a blob or container lies, as the blob extension of the Python worker reads it."""
    container, _, name = path.strip("/").partition("/")
    connection = find_connection(binding.text("connection"), os.environ).name
    content = json.dumps({"Connection": connection, "ContainerName": container, "BlobName": name})
    reference = SimpleNamespace(
        version="1.0", source="AzureStorageBlobs", content_type="application/json", content=content
    )
    return meta.Datum(reference, "model_binding_data")


def content_datum(function: Function, binding: Binding, data: bytes) -> meta.Datum:
    """A blob's content as the host hands it over: text, unless the binding asks for binary data."""
    if binding.data_type in {"binary", "stream"}:
        return meta.Datum(data, "bytes")
    text = data.decode(errors="replace")
    if text.encode() != data:
        warn_once(
            "Function '%s': the blob of the binding '%s' is no UTF-8 text: as in Azure, bytes that do not fit became "
            "U+FFFD. Set data_type=func.DataType.BINARY on the binding.",
            function.name,
            binding.name,
        )
    return meta.Datum(text, "string")


def blob_call(function: Function, path: str, uri: str, *, blob: BlobProperties, data: bytes, reason: str) -> Call:
    """What a blob function is given: content, metadata, and the parameters of its path."""
    pattern = template_pattern(function.trigger.text("path").strip("/"))
    match = pattern.match(path)
    parameters = match.groupdict() if match else {}
    metadata: dict[str, Any] = {
        "BlobTrigger": path,
        "Uri": uri,
        "Properties": properties(blob),
        "Metadata": blob.metadata or {},
        **parameters,
    }
    value = (
        reference_datum(function.trigger, path)
        if function.inputs[function.trigger.name].converter == SDK_TYPE
        else content_datum(function, function.trigger, data)
    )
    merged = with_json_of(value.value, metadata, function) if isinstance(value.value, str) else metadata
    return Call(reason, value, metadata_data(merged), merged)
