"""Bodies of queue messages: what a function is handed, and into which messages its output becomes."""

import json
from collections.abc import Mapping
from typing import Any, cast

from azure.functions import meta

from local.host.core.functions import Binding, Function
from local.host.core.logs import warn_once
from local.host.core.newtonsoft import indented, read_text, text_of


def body_datum(function: Function, binding: Binding, body: bytes) -> meta.Datum:
    """The body as the trigger hands it over: text, or bytes when the app asked for binary data."""
    if binding.data_type == "binary":
        return meta.Datum(body, "bytes")
    text = body.decode(errors="replace")
    if text.encode() != body:
        warn_once(
            "Function '%s' was handed a message of %d bytes that is no UTF-8 text: as in Azure, what does not fit "
            "became U+FFFD. Set data_type=func.DataType.BINARY on the trigger.",
            function.name,
            len(body),
        )
    return meta.Datum(text, "string")


def metadata_data(values: Mapping[str, Any]) -> dict[str, meta.Datum]:
    """Trigger metadata as the host sends it: text as text, anything else as JSON; None is left out."""
    return {
        name: meta.Datum(value, "string") if isinstance(value, str) else meta.Datum(json.dumps(value), "json")
        for name, value in values.items()
        if value is not None
    }


def json_parameters(text: str) -> dict[str, Any]:
    """What a JSON object offers to expressions: its objects, and the text of what is no array and not null.

    Empty for any other text.
    """
    if not text.lstrip().startswith("{"):
        return {}
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    members = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    return {
        name: value if isinstance(value, dict) else text_of(value)
        for name, value in members.items()
        if value is not None and not isinstance(value, list)
    }


def with_json_of(text: str, metadata: Mapping[str, Any], function: Function, *, warns: bool = True) -> dict[str, Any]:
    """The trigger's metadata with the members of a JSON object beside it, which as in Azure replace those of a name."""
    parameters = json_parameters(text)
    known = {name.lower(): name for name in metadata}
    hidden = sorted({known[name.lower()] for name in parameters if name.lower() in known})
    if hidden and warns:
        warn_once(
            "Function '%s': the JSON that triggers it has the key(s) %s, which as in Azure replace the metadata of "
            "that name: what is read as such are the app's own values. Nest the data under another key.",
            function.name,
            ", ".join(hidden),
        )
    return {**metadata, **{known.get(name.lower(), name): value for name, value in parameters.items()}}


def output_messages(function: Function, binding: Binding, value: meta.Datum) -> list[bytes | str]:
    """The messages of one output value. JSON text is re-written: an array gives one message for each element."""
    if value.type == "bytes":
        return [cast("bytes", value.value)]
    if value.type not in {"string", "json"}:
        parsed: Any = value.value
        return _from_json(parsed)
    text = str(value.value)
    if not text.lstrip().startswith(("{", "[")):
        return [text]
    try:
        parsed = read_text(text) if value.type == "string" else json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    messages = _from_json(parsed)
    if value.type == "string" and messages != [text]:
        warn_once(
            "Function '%s' set the output '%s' to a str that is JSON: as in Azure it becomes %d message(s), %s. "
            "Set bytes to send it as it is.",
            function.name,
            binding.name,
            len(messages),
            "one for each element of the array" if isinstance(parsed, list) else "indented anew",
        )
    return messages


def _from_json(parsed: Any) -> list[bytes | str]:
    if isinstance(parsed, list):
        return [one if isinstance(one, str) else indented(one) for one in cast("list[Any]", parsed)]
    return [indented(parsed)]
