"""Why a version of a model does not go on, kept with it and mailed: it does not answer, or refuses us or every text."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.papers.reporting import alerts
from shared.platform.errors import TerminalError, TransientError
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.papers.embedding.models import ModelVersion

PAUSE_SECONDS = 600
"""After which the sweep asks again a model that refuses us; what does not answer is asked again by the next minute."""


@asynccontextmanager
async def noted(version: ModelVersion) -> AsyncGenerator[None]:
    """Note errors about the model, mail those that do not pass by themselves, and raise them on."""
    try:
        yield
    except TransientError as error:
        await _note(version.model_id, str(error), error.retry_after or 0)
        raise
    except TerminalError as error:
        await _note(version.model_id, str(error), PAUSE_SECONDS)
        await alerts.alert_stopped(version.label, str(error))
        raise
    except Exception as error:
        await _note(version.model_id, f"{type(error).__name__}, which the log tells more about", PAUSE_SECONDS)
        raise


async def clear(model_id: int) -> None:
    """Note that the model works."""
    async with database() as connection:
        await connection.execute(
            "update papers.models set problem = null, asked_again_at = null"
            " where model_id = %s and problem is not null",
            (model_id,),
        )


async def ask_now() -> None:
    """Let the sweep ask models with a problem without waiting: somebody says that it is mended."""
    async with database() as connection:
        await connection.execute("update papers.models set asked_again_at = null where asked_again_at is not null")


async def _note(model_id: int, problem: str, seconds: float) -> None:
    async with database() as connection:
        await connection.execute(
            "update papers.models set problem = %s, asked_again_at = now() + make_interval(secs => %s)"
            " where model_id = %s",
            (problem[:1000], seconds, model_id),
        )
