"""From what a trigger gives to what the function takes, and back: azure.functions' own converters, found by binding."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, cast

from azure.functions import meta

from local.host.core.flags import is_false
from local.host.core.functions import SDK_TYPE, STREAMED
from local.host.worker.cookies import check_cookies

_EXTENSIONS = "azurefunctions.extensions.base"
INIT_INDEXING = "PYTHON_ENABLE_INIT_INDEXING"


class GenericConverter:
    """What the Python worker does for a binding without a converter of its own, and for `str` and `bytes`."""

    @classmethod
    def check_input_type_annotation(cls, pytype: type) -> bool:
        """Only text and bytes can be asked for."""
        return issubclass(pytype, (str, bytes))

    @classmethod
    def check_output_type_annotation(cls, pytype: type) -> bool:
        """Only text and bytes can be declared."""
        return issubclass(pytype, (str, bytes, bytearray))

    @classmethod
    def decode(cls, data: meta.Datum | None, *, trigger_metadata: Any) -> Any:  # noqa: ARG003 - the converters' signature
        """The value as the host sent it. Raises ValueError for a value that is neither text, bytes nor JSON."""
        if data is None or data.type is None:
            return None
        if data.type in {"string", "bytes", "json"}:
            return data.value
        raise ValueError(f'unexpected type of data received for the "generic" binding : {data.type!r}')

    @classmethod
    def encode(cls, obj: Any, *, expected_type: Any) -> meta.Datum:  # noqa: ARG003 - the converters' signature
        """Text and bytes as they are, JSON values tagged with their kind. Raises NotImplementedError for the rest."""
        if isinstance(obj, str):
            return meta.Datum(obj, "string")
        if isinstance(obj, (bytes, bytearray)):
            return meta.Datum(bytes(obj), "bytes")
        if obj is None:
            return meta.Datum(None, None)
        if isinstance(obj, int):
            return meta.Datum(int(obj), "int")  # True is 1, as the worker's messages know no bool
        for kind, name in ((dict, "dict"), (list, "list"), (float, "double")):
            if isinstance(obj, kind):
                return meta.Datum(obj, name)
        raise NotImplementedError


def streams() -> bool:
    """Whether the app has imported an azurefunctions-extensions-http-* package: all its HTTP functions stream then.

    As in the worker, `PYTHON_ENABLE_INIT_INDEXING` set to false switches that off.
    """
    base = sys.modules.get(_EXTENSIONS)
    switched_off = is_false(os.environ.get(INIT_INDEXING))
    return base is not None and not switched_off and bool(base.HttpV2FeatureChecker.http_v2_enabled())


def is_streamed_request(annotation: Any) -> bool:
    """Whether it is the request type of the imported web framework."""
    return bool(sys.modules[_EXTENSIONS].RequestTrackerMeta.check_type(annotation))


def is_streamed_response(annotation: Any) -> bool:
    """Whether it is one of the response types of the imported web framework."""
    return bool(sys.modules[_EXTENSIONS].ResponseTrackerMeta.check_type(annotation))


def is_sdk_type(binding_type: str, annotation: Any) -> bool:
    """Whether it is a client that a package azurefunctions-extensions-bindings-* makes for the binding."""
    base = sys.modules.get(_EXTENSIONS)
    if base is None or binding_type not in {"blob", "blobTrigger"}:
        return False
    return bool(base.get_binding_registry().check_supported_type(annotation))


def forget_streaming() -> None:
    """Undo what importing such a package did, so that the next app in this process imports it for itself."""
    base = sys.modules.get(_EXTENSIONS)
    if base is None:
        return
    base.ModuleTrackerMeta._module = None  # noqa: SLF001 - the package has no other way
    base.RequestTrackerMeta._request_type = base.RequestTrackerMeta._synchronizer = None  # noqa: SLF001 - as above
    base.ResponseTrackerMeta._response_types = {}  # noqa: SLF001 - as above
    for name in [one for one in sys.modules if one.startswith("azurefunctions.extensions.http")]:
        del sys.modules[name]


def converter(binding_type: str) -> Any:
    """The converter registered for a binding type; the generic one when there is none."""
    return meta.get_binding_registry().get(binding_type) or GenericConverter


def returns_implicitly(binding_type: str) -> bool:
    """Whether a trigger of this type takes the function's return value without a `$return` binding."""
    found = converter(binding_type)
    if found is GenericConverter:
        return binding_type != "durableClient"
    return bool(getattr(found, "has_implicit_output", bool)())


def decode(
    binding_type: str, value: meta.Datum | None, metadata: Mapping[str, meta.Datum], annotation: Any = None
) -> Any:
    """The argument for a function. Raises TypeError in the worker's words, or what the converter raises."""
    if binding_type == STREAMED:
        return value.value if value is not None else None
    if binding_type == SDK_TYPE:
        base = sys.modules[_EXTENSIONS]
        return base.get_binding_registry().get("blob").decode(value, trigger_metadata=metadata, pytype=annotation)
    found = converter(binding_type)
    is_trigger = bool(getattr(found, "has_trigger_support", bool)())
    try:
        return found.decode(value, trigger_metadata=metadata if is_trigger else {})
    except NotImplementedError:
        kind = value.type if value is not None else None
        raise TypeError(
            f"unable to decode incoming TypedData: unsupported combination of TypedData field {kind!r} "
            f"and expected binding type {found}"
        ) from None


def encode(binding_type: str, value: Any, annotation: Any) -> meta.Datum | None:
    """What the host receives from a function. Raises TypeError in the worker's words, or what the converter raises."""
    if binding_type == STREAMED:
        return meta.Datum(value, STREAMED)
    found = converter(binding_type)
    try:
        datum = cast("meta.Datum | None", found.encode(value, expected_type=annotation))
    except NotImplementedError:
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "{found}" for Python type "{type(value).__name__}"'
        ) from None
    if datum is not None:
        _check_message(datum)
    return datum


def _check_message(datum: meta.Datum) -> None:
    """Raise for what no message of the worker's can hold: the run fails before any output is delivered, as there.

    Raises UnicodeEncodeError for half a surrogate pair, TypeError for an object that is no JSON, ValueError for a
    number of more than 64 bits, and what `check_cookies` raises.
    """
    value: Any = datum.value
    if datum.type == "http":
        check_cookies(datum)
    elif datum.type in {"string", "json"} and not value.isascii():
        value.encode()
    elif datum.type in {"dict", "list"}:
        json.dumps(value)
    elif datum.type == "int" and not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"Value out of range: {value}")
