"""Whether a file that names its columns once for all records has those that its source's adapter reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.papers.sources.paper import Adapter

_MOST_SHOWN = 20


def check_columns(file: str, names: Sequence[str], adapter: Adapter) -> None:
    """See that each column which is read is there, and there once.

    Raises:
        InvalidInput: a column is missing or stands there twice.
    """
    if missing := sorted(adapter.required - set(names)):
        raise InvalidInput(
            f"The file {file} has no column {_listed(missing)}; it has {_listed(names)}.",
            field="mapping",
            code="no-column",
            remedy="Send a mapping with the columns of this file, or a file with these columns.",
        )
    if doubled := sorted(name for name in adapter.columns if names.count(name) > 1):
        raise InvalidInput(
            f"The file {file} has the column {_listed(doubled)} more than once.",
            field="blob",
            code="column-twice",
            remedy="Give each column a name of its own.",
        )


def _listed(names: Sequence[str]) -> str:
    quoted = ", ".join(repr(name[:100]) for name in names[:_MOST_SHOWN])
    return quoted if len(names) <= _MOST_SHOWN else f"{quoted} and {len(names) - _MOST_SHOWN} more"
