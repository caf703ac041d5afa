"""Who writes: the port, the templates that ship with the app, and a model with them to fall back on."""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shared.followups.composing.brief import Draft
from shared.followups.composing.costs import Prices
from shared.followups.composing.model_writer import ModelAccount, ModelWriter
from shared.followups.settings import settings
from shared.platform.errors import ManifoldError

if TYPE_CHECKING:
    from jinja2 import Environment

    from shared.followups.composing.brief import Brief

TEMPLATES = Path(__file__).with_name("templates")
CUSTOM = "custom"
logger = logging.getLogger(__name__)


class EmailWriter(Protocol):
    """Writes the text of one mail."""

    async def write(self, brief: Brief) -> Draft:
        """The draft; whoever asked for it checks it. Raises TransientError, TerminalError: there is none."""
        ...


class TemplateWriter:
    """Fills in the template of the step; a step without a template of its own has the one for custom tasks."""

    async def write(self, brief: Brief) -> Draft:
        """As the port says."""
        name = re.sub(r"[^a-z0-9]+", "_", brief.followup_type.lower())
        template = _environment().select_template([f"{name}.txt.j2", f"{CUSTOM}.txt.j2"])
        subject, _, body = template.render(brief=brief).strip().partition("\n")
        return Draft(subject=subject.strip(), body=re.sub(r"\n{3,}", "\n\n", body.strip()), written_by="template")


class WithTemplates:
    """A writer that may fail, and the templates in its place when it does."""

    def __init__(self, writer: EmailWriter) -> None:
        self._writer = writer

    async def write(self, brief: Brief) -> Draft:
        """As the port says."""
        try:
            return await self._writer.write(brief)
        except ManifoldError as error:
            logger.warning("The model could not write a mail, and a template was used.", extra={"reason": error.code})
            return await TemplateWriter().write(brief)


def writer() -> EmailWriter:
    """The writer that the settings name."""
    own = settings()
    if own.followups_writer == "template":
        return TemplateWriter()
    account = ModelAccount(
        endpoint=own.followups_model_endpoint,
        model=own.followups_model,
        key=own.followups_model_key.get_secret_value() if own.followups_model_key else None,
        seconds=own.followups_model_seconds,
        tokens=own.followups_model_tokens,
        daily_tokens=own.followups_model_daily_tokens,
        prices=Prices(own.followups_model_input_price, own.followups_model_output_price),
    )
    return WithTemplates(ModelWriter(account))


@cache
def _environment() -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined  # noqa: PLC0415 - loads in the activity that needs it
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - as above

    # Plain text: it is escaped where the message's HTML is made of it.
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
