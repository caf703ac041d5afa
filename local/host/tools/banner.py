"""What the host prints at its start: the functions and their addresses as Core Tools shows them, and every error."""

import platform
from collections.abc import Iterator
from importlib.metadata import version

from local.host.running import RunningApp


def banner() -> str:
    """The lines before anything is loaded."""
    return (
        "\nAzure Functions Core Tools\n"
        f"Core Tools Version:       Manifold's local host in their place, on Python {platform.python_version()}\n"
        f"Function Runtime Version: 4, with azure-functions {version('azure-functions')}\n"
    )


def function_lines(app: RunningApp) -> Iterator[str]:
    """The list of functions, HTTP first."""
    origin = f"http://localhost:{app.port}"
    table = app.table
    if table.functions:
        yield "\nFunctions:\n"
    for one in app.routes.functions:
        methods = f"[{','.join(one.shown_methods)}] " if one.shown_methods else ""
        yield f"\t{one.function.name}: {methods}{one.url(origin)}\n"
    others = [one for one in table.functions.values() if one.trigger.type != "httpTrigger"]
    for function in sorted(others, key=lambda one: one.name.lower()):
        yield f"\t{function.name}: {function.trigger.type}\n"
    for function in table.functions.values():
        if function.disabled:
            yield f"Function {function.name} is disabled."


def problems(app: RunningApp) -> Iterator[str]:
    """Every function that is not there with its reason, and why none is."""
    table = app.table
    for error in table.errors:
        yield f"The '{error.name}' function is in error: {error.reason}"
    if table.failure is not None:
        yield f"Worker failed to index functions\n{table.failure}"
        yield (
            "No function runs until this is put right"
            + (", except for orchestrations, which go on with the code that they had" if app.extension else "")
            + ": one that cannot load takes the whole app down in Azure too."
        )
    elif not table.functions and not table.errors:
        yield "The app has no function: no decorator of its FunctionApp has a trigger."


def resumed_line(app: RunningApp) -> str | None:
    """What was picked up from the task hub, if anything."""
    found = app.resumed
    if found is None or not (found.orchestrations or found.activities or found.timers or found.entities):
        return None
    return (
        f"Resumed from {app.options.data_folder}: {found.orchestrations} orchestrations, "
        f"{found.activities} activities, {found.timers} timers, {found.entities} entities."
    )
