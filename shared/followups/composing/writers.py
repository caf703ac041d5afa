"""Who writes: the port, and the templates that ship with the app."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shared.followups.composing.brief import Draft

if TYPE_CHECKING:
    from jinja2 import Environment

    from shared.followups.composing.brief import Brief

TEMPLATES = Path(__file__).with_name("templates")
CUSTOM = "custom"


class EmailWriter(Protocol):
    """Writes the text of one mail.

    Attributes:
        name: of the writer, as it is stored with each mail.
    """

    name: str

    async def write(self, brief: Brief) -> Draft:
        """The draft; whoever asked for it checks it. Raises TransientError, TerminalError: there is none."""
        ...


class TemplateWriter:
    """Fills in the template of the step; a step without a template of its own has the one for custom tasks."""

    name = "template"

    async def write(self, brief: Brief) -> Draft:
        """As the port says."""
        name = re.sub(r"[^a-z0-9]+", "_", brief.followup_type.lower())
        template = _environment().select_template([f"{name}.txt.j2", f"{CUSTOM}.txt.j2"])
        subject, _, body = template.render(brief=brief).strip().partition("\n")
        return Draft(subject=subject.strip(), body=re.sub(r"\n{3,}", "\n\n", body.strip()))


@cache
def _environment() -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined  # noqa: PLC0415 - loads in the activity that needs it
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - as above

    # Plain text: it is escaped where the message's HTML is made of it.
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
