"""The order in which an app or a project is deleted: what runs first, what names the rest last."""

from __future__ import annotations

from activities.deploys.removal import end_removal, forget_app, forget_sources, remove_app
from shared.deploys.running.steps import Forgotten, RemoveApps
from shared.platform.durable import Context, Nothing, Steps, call, orchestration, progress, repeat

BOXES = 100


@orchestration
def remove_apps(context: Context, task: RemoveApps) -> Steps[Nothing]:
    """Every step can be repeated: started again after it failed, this goes on with what is left."""
    deleted = 0

    def show(forgotten: Forgotten) -> None:
        nonlocal deleted
        deleted += forgotten.deleted
        progress(context, "deleting", done=deleted)

    for environment in task.environments:
        app = task.app(environment)
        progress(context, f"deleting {environment}", done=deleted)
        yield from call(context, remove_app, app)
        yield from repeat(
            context,
            forget_app,
            app,
            until=lambda forgotten: forgotten.done,
            following=lambda app, _: app,
            show=show,
            boxes=BOXES,
        )
    yield from repeat(
        context,
        forget_sources,
        task,
        until=lambda forgotten: forgotten.done,
        following=lambda task, _: task,
        show=show,
        boxes=BOXES,
    )
    yield from call(context, end_removal, task)
    progress(context, "deleted", done=deleted)
    return Nothing()
