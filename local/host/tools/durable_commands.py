"""`manifold-host durable ...`: looks at the orchestrations of a running host and steers them, over its HTTP API."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode

from local.host.durable.model.records import STATUSES

_API = "/runtime/webhooks/durabletask/instances"
_CONTINUATION = "x-ms-continuation-token"
_TIMEOUT_SECONDS = 30


class CommandFailed(Exception):
    """The host did not do it; the message says why, and what may help."""


def main(arguments: list[str]) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        for line in options.run(_Host(options.url, options.key), options):
            sys.stdout.write(line + "\n")
    except CommandFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


class _Host:
    """The management API of one running host."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    def send(
        self,
        method: str,
        path: str = "",
        query: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        token: str = "",
    ) -> tuple[Any, str]:
        """The answer's JSON, and the token of the next page. Raises CommandFailed."""
        address = f"{self._url}{_API}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._key:
            headers["x-functions-key"] = self._key
        if token:
            headers[_CONTINUATION] = token
        try:
            request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - the user's own URL
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers.get(_CONTINUATION, "")
        except urllib.error.HTTPError as error:
            with error:
                raise CommandFailed(_reason(error.code, error.read().decode(errors="replace"))) from error
        except (OSError, ValueError, HTTPException, RecursionError) as error:
            raise CommandFailed(
                f"No host answers at {self._url}: {error}. Start it, or pass --url with the address that it printed."
            ) from error


def _reason(status: int, text: str) -> str:
    known = {
        401: "The host asks for keys: pass --key with the system key durabletask_extension of its keys.json.",
        404: "There is no such instance.",
        410: "The instance has ended.",
    }
    return known.get(status, f"The host answered {status}: {text.strip() or 'nothing more'}")


def _list(host: _Host, options: argparse.Namespace) -> Iterator[str]:
    query = {"showInput": "false"}
    if options.status:
        query["runtimeStatus"] = ",".join(options.status)
    token = ""
    while True:
        page, token = host.send("GET", query=query, token=token)
        try:
            yield from [
                f"{one['instanceId']}  {one['name']}  {one['runtimeStatus']}  {one['createdTime']}" for one in page
            ]
        except (KeyError, TypeError) as error:
            raise CommandFailed("What answers there is no host: see --url.") from error
        if not token:
            return


def _get(host: _Host, options: argparse.Namespace) -> Iterator[str]:
    history = {"showHistory": "true", "showHistoryOutput": "true"} if options.history else {}
    found, _ = host.send("GET", f"/{quote(options.id, safe='')}", history)
    yield json.dumps(found, indent=2, ensure_ascii=False)


def _raise(host: _Host, options: argparse.Namespace) -> Iterator[str]:
    try:
        json.loads(options.data)
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"--data must be JSON, such as '\"yes\"' or '{{\"a\": 1}}': {error}.") from error
    path = f"/{quote(options.id, safe='')}/raiseEvent/{quote(options.name, safe='')}"
    host.send("POST", path, body=options.data.encode())
    yield f"The event '{options.name}' was sent to {options.id}."


def _terminate(host: _Host, options: argparse.Namespace) -> Iterator[str]:
    reason = {"reason": options.reason} if options.reason else {}
    host.send("POST", f"/{quote(options.id, safe='')}/terminate", reason)
    yield f"{options.id} is being terminated."


def _purge(host: _Host, options: argparse.Namespace) -> Iterator[str]:
    host.send("DELETE", f"/{quote(options.id, safe='')}")
    yield f"{options.id} and its history were deleted."


def _url(text: str) -> str:
    """The address with its scheme, which may be left out."""
    scheme, found, rest = text.partition("://")
    if (found and scheme not in {"http", "https"}) or not (rest if found else text).strip("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as http://127.0.0.1:7071")
    return text if found else f"http://{text}"


def _status(text: str) -> str:
    known = {one.lower(): one for one in STATUSES}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is no status; there are {', '.join(sorted(STATUSES))}")
    return known[text.lower()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manifold-host durable", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[_Host, argparse.Namespace], Iterator[str]], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        added.add_argument(
            "--url", type=_url, default="http://127.0.0.1:7071", help="where the host listens (%(default)s)"
        )
        added.add_argument("--key", default="", help="the system key, where the host asks for keys")
        if name != "list":
            added.add_argument("id", help="the instance's id")
        return added

    command("list", _list, "list the instances").add_argument(
        "--status",
        action="append",
        type=_status,
        metavar="STATUS",
        help=f"only those that are so: {', '.join(sorted(STATUSES))}; may be repeated",
    )
    command("get", _get, "show one instance").add_argument("--history", action="store_true", help="with its history")
    sent = command("raise", _raise, "raise an event on an instance")
    sent.add_argument("name", help="the event's name, as the orchestrator spells it")
    sent.add_argument("--data", default="null", help="its value as JSON")
    command("terminate", _terminate, "end a running instance").add_argument("--reason", help="shown as its output")
    command("purge", _purge, "delete an instance that has ended, with its history")
    return parser
