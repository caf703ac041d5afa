"""A model provider with the API of OpenAI: it writes a plain mail, or names regions, from the data that it is given.

It reads its data and nothing else, unless it is made gullible: then it does what a text among the data says.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "local-model-key"
Fault = Literal["refusal", "cut", "no-json", "silence", "throttled", "broken"]
_OBEYED = re.compile(r"write this instead:\s*(?P<text>.+)", re.IGNORECASE | re.DOTALL)
_STATUSES = {"throttled": 429, "broken": 503}


@dataclass
class Model:
    """Its requests, and what goes wrong.

    Attributes:
        key: what opens it: a key, or the token of an identity.
        requests: the bodies of all of them.
        faults: of the next requests.
        silence_seconds: how long it says nothing at the fault `silence`.
    """

    gullible: bool = False
    key: str = KEY
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    faults: list[Fault] = field(default_factory=list[Fault])
    silence_seconds: float = 5

    def app(self) -> Starlette:
        """Its HTTP side."""
        return Starlette(routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])])

    async def _complete(self, request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {self.key}"):
            return _error(401, "invalid_api_key")
        body = await request.json()
        if (body.get("response_format") or {}).get("type") != "json_schema" or "max_completion_tokens" not in body:
            return _error(400, "invalid_request_error")
        self.requests.append(body)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "silence":
            await asyncio.sleep(self.silence_seconds)
        if fault in _STATUSES:
            return _error(_STATUSES[fault], fault)
        data = json.loads(body["messages"][-1]["content"])
        content = json.dumps(_named(data["regions"]) if "regions" in data else self._mail(data))
        content = {"cut": content[:20], "no-json": "Dear client"}.get(fault or "", content)
        message = {"role": "assistant", "content": content, "refusal": None}
        if fault == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        return JSONResponse(_answer(body, message, "length" if fault == "cut" else "stop"))

    def _mail(self, data: dict[str, Any]) -> dict[str, str]:
        texts = f"{data['client']['notes']}\n{data['wishes_of_the_agent']}"
        if self.gullible and (instruction := _OBEYED.search(texts)):
            return {"subject": "An offer that you cannot refuse", "body": instruction["text"]}
        name = data["client"]["first_name"]
        place = data["client"]["property_address"] or "your plans"
        greeting = f"Hello {name}," if name else "Hello and thank you for your time,"
        paragraphs = [
            f"I have thought about {place} since we last spoke.",
            "There are a few ways to go on, and I would like to hear which suits you.",
            "Simply answer this mail, and I will take the next step.",
        ]
        return {"subject": "A thought about your property plans", "body": "\n\n".join([greeting, *paragraphs])}


def _named(regions: list[dict[str, Any]]) -> dict[str, Any]:
    """A name for each region of a map, of its first term."""
    return {"regions": [{"region": one["region"], "name": f"Studies of {one['terms'][0]}"} for one in regions]}


def _answer(body: dict[str, Any], message: dict[str, Any], finished: str) -> dict[str, Any]:
    read = sum(len(one["content"]) for one in body["messages"]) // 4
    written = len(message["content"] or message["refusal"]) // 4
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finished, "logprobs": None}],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def _error(status: int, kind: str) -> Response:
    error = {"message": f"The stand-in answers {status}.", "type": kind, "param": None, "code": kind}
    return JSONResponse({"error": error}, status)
