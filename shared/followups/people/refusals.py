"""Refusals that several parts of the CRM give, in the same words."""

from __future__ import annotations

from shared.platform.errors import Conflict, NotFound


def unknown_agent() -> NotFound:
    """There is no agent of that number."""
    return NotFound("There is no such agent.", code="unknown-agent")


def unknown_client() -> NotFound:
    """The agent has no client of that number, or has deleted it."""
    return NotFound("There is no such client.", code="unknown-client")


def unknown_task() -> NotFound:
    """The agent, or the client that is named, has no task of that number."""
    return NotFound("There is no such task.", code="unknown-task")


def task_ended(status: str) -> Conflict:
    """The task is not pending any more."""
    return Conflict(f"The task is {status}.", code="task-ended", remedy="Add a Custom task.")
