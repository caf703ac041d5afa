"""Which workloads the app of this process is made of."""

from __future__ import annotations

_modules: tuple[str, ...] = ()


def workload_modules() -> tuple[str, ...]:
    """The modules that declare the workloads of the app that this process has loaded."""
    return _modules


def set_workload_modules(modules: tuple[str, ...]) -> None:
    """Say which these are. An app is loaded once in a process, as the host does."""
    global _modules  # noqa: PLW0603 - a fact of the process, set when its app is loaded
    _modules = modules
