"""Which orchestration versions this app may run: host.json's versionMatchStrategy."""

from typing import Literal


def _parts(version: str) -> tuple[int, ...] | None:
    """A .NET System.Version (two to four numbers), missing ones counting as -1; None when it is something else."""
    numbers = version.split(".")
    if not 2 <= len(numbers) <= 4 or not all(part.isascii() and part.isdigit() for part in numbers):  # noqa: PLR2004 - System.Version's bounds
        return None
    return tuple([int(part) for part in numbers] + [-1] * (4 - len(numbers)))


def compare(one: str | None, other: str | None) -> int:
    """Below 0, 0 or above 0 as `one` is older, the same or newer; none is older than any, others compare as text."""
    first, second = (one or "").strip(), (other or "").strip()
    if not first or not second:
        return bool(first) - bool(second)
    left, right = _parts(first), _parts(second)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    return (first.lower() > second.lower()) - (first.lower() < second.lower())


def mismatch(
    version: str | None, default_version: str | None, strategy: Literal["None", "Strict", "CurrentOrOlder"]
) -> str | None:
    """Why an orchestration of `version` must not run on an app of `default_version`; None when it may.

    An app without defaultVersion takes no part in versioning and runs everything.
    """
    if strategy == "None" or not default_version:
        return None
    if strategy == "Strict" and (version or "") != default_version:
        return f"The orchestration version '{version or ''}' does not match the worker version '{default_version}'."
    if strategy == "CurrentOrOlder" and compare(version, default_version) > 0:
        return f"The orchestration version '{version or ''}' is greater than the worker version '{default_version}'."
    return None
