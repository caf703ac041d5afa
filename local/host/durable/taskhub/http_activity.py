"""call_http: the activity BuiltIn::HttpActivity, which the extension runs itself."""

import json
import os
import ssl
from typing import Any

import httpx

from local.host.durable.model import dotnet

USER_AGENT = "Microsoft.Azure.WebJobs.Extensions.DurableTask/3.19.0"
TIMEOUT_SECONDS = 100.0
# .NET keeps these with the content, and the extension answers with the response's headers alone.
_CONTENT_HEADERS = frozenset(
    {
        "allow",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "expires",
        "last-modified",
    }
)


class RequestFailed(Exception):
    """The request could not be sent, or nothing came back; the message is the one that .NET gives."""


async def send(payload: str) -> str:
    """Send the request of a call_http action; the JSON of `{statusCode, headers, content}`. Raises RequestFailed."""
    request: dict[str, Any] = json.loads(payload)
    headers: dict[str, str] = {"User-Agent": USER_AGENT, **(request.get("headers") or {})}
    if source := request.get("tokenSource"):
        headers["Authorization"] = f"Bearer {await _token(source['resource'])}"
    content = request.get("content")
    if content is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain"
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=True) as client:
            for name in ("accept", "accept-encoding", "connection"):
                client.headers.pop(name, None)
            response = await client.request(request["method"], request["uri"], headers=headers, content=content)
    except httpx.ConnectError as error:
        raise RequestFailed(_why_not_connected(error)) from error
    except httpx.TimeoutException as error:
        limit = f"HttpClient.Timeout of {TIMEOUT_SECONDS:g} seconds"
        raise RequestFailed(f"The request was canceled due to the configured {limit} elapsing.") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise RequestFailed(f"An error occurred while sending the request. {error}") from error
    kept: dict[str, str] = {}
    for name, value in response.headers.multi_items():
        if name.lower() not in _CONTENT_HEADERS:
            title = "-".join(part.capitalize() for part in name.split("-"))
            kept[title] = f"{kept[title]},{value}" if title in kept else value
    return dotnet.to_json({"statusCode": response.status_code, "headers": kept, "content": response.text})


def _why_not_connected(error: httpx.ConnectError) -> str:
    """The operating system's words with the address, as .NET gives them."""
    url = error.request.url
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "The SSL connection could not be established, see inner exception."
        if isinstance(cause, OSError) and cause.errno:
            reason = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror  # below 0: of the name's look-up
            return f"{reason} ({url.host}:{url.port or (443 if url.scheme == 'https' else 80)})"
        each: tuple[BaseException, ...] = getattr(cause, "exceptions", ())  # one for every address of the name
        cause = each[0] if each else cause.__cause__ or cause.__context__
    return str(error)


async def _token(resource: str) -> str:
    """A token for the resource, of whoever the developer is signed in as. Raises RequestFailed when nobody is."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - few apps need it, and it loads slowly
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - as above

    try:
        async with DefaultAzureCredential() as credential:
            return (await credential.get_token(resource.rstrip("/") + "/.default")).token
    except ClientAuthenticationError as error:
        raise RequestFailed(f"No token for {resource}: {error.message} Sign in, for example with az login.") from error
