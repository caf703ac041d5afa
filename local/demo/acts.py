"""The acts of the demo, in their order. An act is one module: `run` plays it and raises DemoFailed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from rich.console import Console

from local.demo import authcache, deploys, diamonds, followups, papers
from local.demo.client import App
from local.up import Stack


@dataclass(frozen=True)
class Act:
    """One act.

    Attributes:
        run: plays it on the running stack.
        settings: of the app, that it needs to be other than the local ones.
    """

    run: Callable[[Stack, App, Console], Awaitable[None]]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


ACTS = {
    "diamonds": Act(diamonds.run),
    "deploys": Act(deploys.run),
    "followups": Act(followups.run, followups.SETTINGS),
    "papers": Act(papers.run),
    "authcache": Act(authcache.run, authcache.SETTINGS),
}
