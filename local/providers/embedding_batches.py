"""The Batch API of embeddings: files of requests, which are answered when a batch is looked at often enough."""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MOST_LINES = 50_000
OK = 200
Answered = tuple[int, dict[str, Any]]


@dataclass
class EmbeddingBatches:
    """Files and batches.

    Attributes:
        answer: the status and the body for the body of one request.
        allowed: the answer to a request that may not be made; None: it may.
        looks: how often a batch is looked at before it has ended.
        ends: how batches end: completed, or failed, expired, cancelled.
        answered: of an expired or cancelled one, how many lines were answered.
    """

    answer: Callable[[dict[str, Any]], Answered]
    allowed: Callable[[Request], Response | None]
    looks: int = 1
    ends: str = "completed"
    answered: int = 0
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    batches: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def routes(self) -> list[Route]:
        """Its part of the API."""
        return [
            Route("/v1/files", self._upload, methods=["POST"]),
            Route("/v1/files/{file}/content", self._content, methods=["GET"]),
            Route("/v1/files/{file}", self._delete, methods=["DELETE"]),
            Route("/v1/batches", self._create, methods=["POST"]),
            Route("/v1/batches", self._list, methods=["GET"]),
            Route("/v1/batches/{batch}", self._look, methods=["GET"]),
        ]

    async def _upload(self, request: Request) -> Response:
        if refused := self.allowed(request):
            return refused
        async with request.form() as form:
            sent = form["file"]
            assert isinstance(sent, UploadFile)
            name = self._keep(await sent.read())
        return JSONResponse({**_file(name, len(self.files[name])), "filename": sent.filename})

    async def _content(self, request: Request) -> Response:
        if refused := self.allowed(request):
            return refused
        found = self.files.get(request.path_params["file"])
        return _unknown("file") if found is None else Response(found, media_type="application/jsonl")

    async def _delete(self, request: Request) -> Response:
        if refused := self.allowed(request):
            return refused
        name = request.path_params["file"]
        if self.files.pop(name, None) is None:
            return _unknown("file")
        return JSONResponse({"id": name, "object": "file", "deleted": True})

    async def _create(self, request: Request) -> Response:
        if refused := self.allowed(request):
            return refused
        body: dict[str, Any] = await request.json()
        if body["input_file_id"] not in self.files:
            return _unknown("file")
        batch: dict[str, Any] = {
            "id": f"batch_{uuid4().hex}",
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": "validating",
            "created_at": int(time.time()),
            "metadata": body.get("metadata"),
            "looks": 0,
        }
        self.batches[batch["id"]] = batch
        return JSONResponse(batch)

    async def _list(self, request: Request) -> Response:
        if refused := self.allowed(request):
            return refused
        newest = list(reversed(self.batches.values()))
        after = (
            [one["id"] for one in newest].index(request.query_params["after"]) + 1
            if "after" in request.query_params
            else 0
        )
        page = newest[after : after + int(request.query_params.get("limit", 20))]
        return JSONResponse({"object": "list", "data": page, "has_more": after + len(page) < len(newest)})

    async def _look(self, request: Request) -> Response:
        if refused := self.allowed(request):
            return refused
        batch = self.batches.get(request.path_params["batch"])
        if batch is None:
            return _unknown("batch")
        batch["looks"] += 1
        if batch["looks"] < self.looks:
            batch["status"] = "in_progress"
        elif batch["status"] in ("validating", "in_progress"):
            self._finish(batch)
        return JSONResponse(batch)

    def _finish(self, batch: dict[str, Any]) -> None:
        lines = self.files[batch["input_file_id"]].splitlines()
        batch["status"] = self.ends
        if len(lines) > MOST_LINES or self.ends == "failed":
            error = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}
            batch |= {"status": "failed", "errors": {"object": "list", "data": [error]}}
            return
        answered = lines if self.ends == "completed" else lines[: self.answered]
        good, bad = bytearray(), bytearray()
        for line in answered:
            request = json.loads(line)
            status, body = self.answer(request["body"])
            if request["body"].get("encoding_format") == "base64":
                for one in body.get("data", []):
                    one["embedding"] = base64.b64encode(
                        struct.pack(f"<{len(one['embedding'])}f", *one["embedding"])
                    ).decode()
            response = {"status_code": status, "request_id": uuid4().hex, "body": body}
            written = {"id": uuid4().hex, "custom_id": request["custom_id"], "response": response, "error": None}
            (good if status == OK else bad).extend(json.dumps(written).encode() + b"\n")
        batch["output_file_id"] = self._keep(bytes(good)) if good else None
        batch["error_file_id"] = self._keep(bytes(bad)) if bad else None

    def _keep(self, data: bytes) -> str:
        name = f"file-{uuid4().hex}"
        self.files[name] = data
        return name


def _file(name: str, size: int) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": size,
        "created_at": int(time.time()),
        "purpose": "batch",
        "status": "processed",
    }


def _unknown(kind: str) -> Response:
    error = {"message": f"No such {kind}.", "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": error}, 404)
