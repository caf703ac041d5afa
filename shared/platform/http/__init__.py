"""HTTP routes declared by typed handlers, problem+json errors, and the OpenAPI document of all of them.

    routes = Routes(tag="diamonds")

    @routes.get("/api/v2/diamonds/{id}", needs=READER, summary="One diamond")
    async def read_diamond(id: UUID, caller: Caller) -> Diamond: ...

    register(app, routes)

A module of routes does not write `from __future__ import annotations` and imports its models for real: the annotations
are read at run time.
"""

from __future__ import annotations

from shared.platform.http.answers import Accepted, Page, PageQuery, Pagination, Reply
from shared.platform.http.problems import Problem
from shared.platform.http.routes import Operation, Routes, hidden_routes, register

__all__ = [
    "Accepted",
    "Operation",
    "Page",
    "PageQuery",
    "Pagination",
    "Problem",
    "Reply",
    "Routes",
    "hidden_routes",
    "register",
]
