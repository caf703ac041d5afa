"""Text as .NET writes it: Newtonsoft JSON, timestamps in ticks, serialised exceptions."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

TICKS_PER_MICROSECOND = 10
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ESCAPED = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ALSO_ESCAPED = re.compile("[\u0085\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(value: Any) -> str:
    """Compact JSON with Newtonsoft's escapes; half a surrogate pair becomes U+FFFD, as in any UTF-8 stream."""
    text = _encode(value)
    if text.isascii():
        return text
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _ALSO_ESCAPED.sub(lambda match: _ESCAPED[match[0]], text)


def timestamp(when: datetime) -> str:
    """UTC ISO text with Z and 0 to 6 fraction digits, trailing zeros cut (Newtonsoft's round-trip form)."""
    text = when.strftime("%Y-%m-%dT%H:%M:%S")
    if when.microsecond:
        text += f".{when.microsecond:06d}".rstrip("0")
    return text + "Z"


def round_trip(when: str) -> str:
    """The same instant with seven fraction digits, .NET's format "o"."""
    head, _, fraction = when.removesuffix("Z").partition(".")
    return f"{head}.{fraction.ljust(7, '0')}Z"


def seconds(when: str) -> str:
    """The same instant cut to whole seconds, as the status API shows it."""
    return when[:19] + "Z"


def parse_time(text: str) -> datetime:
    """Read an ISO time, any number of fraction digits; without a zone it is UTC. Raises ValueError."""
    head, dot, rest = text.partition(".")
    if dot:
        digits = re.match(r"\d+", rest)
        if digits is None:
            raise ValueError(f"{text!r} is not an ISO 8601 time.")
        text = f"{head}.{digits[0][:6].ljust(6, '0')}{rest[digits.end() :]}"
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def ticks(when: datetime) -> int:
    """100-nanosecond steps since year 1, .NET's DateTime.Ticks."""
    return (when - _EPOCH) // _MICROSECOND * TICKS_PER_MICROSECOND


def ticks_text(value: int) -> str:
    """ISO text of a DateTime of unspecified kind: seven digits at most, no Z."""
    whole, part = divmod(value, TICKS_PER_MICROSECOND)
    when = _EPOCH + timedelta(microseconds=whole)
    fraction = f"{when.microsecond:06d}{part}".rstrip("0")
    return when.strftime("%Y-%m-%dT%H:%M:%S").zfill(19) + (f".{fraction}" if fraction else "")


def rpc_message(error: str, stack: str) -> str:
    """The message of the exception by which the host learns of a function's."""
    return f"Result: Failure\nException: {error}\nStack: {stack}"


def activity_exception(error: str, stack: str) -> str:
    """What TaskFailed.Details holds: a System.Exception around the worker's RpcException, as JSON text.

    `error` is `ValueError: text` already sanitised, `stack` the Python traceback; .NET's own frames are left empty.
    """
    inner = {
        "$type": "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script",
        "IsUserException": False,
        "RemoteStackTrace": stack,
        "RemoteMessage": error,
        "RemoteTypeName": None,
        "Message": rpc_message(error, stack),
        "Data": {"$type": "System.Collections.ListDictionaryInternal, System.Private.CoreLib"},
        "InnerException": None,
        "HelpLink": None,
        "Source": "Microsoft.Azure.WebJobs.Script",
        "HResult": -2146233088,
        "StackTrace": "",
    }
    outer = {
        "$type": "System.Exception, System.Private.CoreLib",
        "ClassName": "System.Exception",
        "Message": error,
        "Data": None,
        "InnerException": inner,
        "HelpURL": None,
        "StackTraceString": None,
        "RemoteStackTraceString": None,
        "RemoteStackIndex": 0,
        "ExceptionMethod": None,
        "HResult": -2146233088,
        "Source": None,
        "WatsonBuckets": None,
    }
    return to_json(outer)


def http_exception(message: str) -> str:
    """What TaskFailed.Details holds when call_http's request could not be sent."""
    return to_json(
        {
            "$type": "System.Net.Http.HttpRequestException, System.Net.Http",
            "HttpRequestError": 2,
            "StatusCode": None,
            "Message": message,
            "Data": {"$type": "System.Collections.ListDictionaryInternal, System.Private.CoreLib"},
            "InnerException": None,
            "HelpLink": None,
            "Source": "System.Net.Http",
            "HResult": -2147467259,
            "StackTrace": "",
        }
    )
