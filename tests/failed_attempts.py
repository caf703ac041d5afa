"""A failed activity as an orchestrator sees it."""

from __future__ import annotations

import json

from local.host.core.credentials import sanitize
from shared.platform.durable.failures import AttemptFailed
from shared.platform.errors import TransientError


def reason(step: str, error: Exception) -> str:
    """What the history keeps of an error that the activity raised."""
    # A fake raises what the step would; the real step's wrapper has made an AttemptFailed of it.
    raised = AttemptFailed(error) if isinstance(error, TransientError) else error
    return f"Activity function '{step}' failed: {sanitize(f'{type(raised).__name__}: {raised}')}"


def failed_attempt(step: str, error: Exception) -> Exception:
    """What the SDK raises for it: the reason, then the exception as .NET writes it."""
    text = reason(step, error)
    details = {"$type": "System.Exception", "Message": text.partition(" failed: ")[2]}
    return Exception(f"{text} \n {json.dumps(details)}")
