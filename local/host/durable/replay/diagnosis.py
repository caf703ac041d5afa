"""Why an orchestration hangs or lost something that Azure hangs on or loses in silence, each with the remedy."""

from collections.abc import Sequence

from local.host.durable.model.actions import Completion, CreateChild, CreateTimer, NewAction, ScheduleTask
from local.host.durable.model.records import CONTINUED_AS_NEW
from local.host.durable.replay.answers import Answer
from local.host.durable.replay.player import HTTP_ACTIVITY
from local.host.durable.replay.replay import Replay

RETURNED = "The orchestrator has returned, but "
_NAMED = 5


def diagnose(replay: Replay, completion: Completion | None, answer: Answer) -> list[str]:
    """What is to be said at once after a turn."""
    if completion is not None:
        return [_lost(replay.lost_events)] if completion.status == CONTINUED_AS_NEW and replay.lost_events else []
    if replay.suspended or replay.notes:
        return []
    if _returned(answer):
        return [] if replay.open_actions or not replay.awaited_events else [_stuck(replay.awaited_events, answer)]
    if replay.waits:
        return []
    note = (
        "The orchestrator yielded nothing that could ever complete, so it waits for ever, here as in Azure. Yield "
        "tasks of the context alone (call_activity, create_timer, task_all, ...), each task once it is made."
    )
    return [note]


def still_open(replay: Replay, completion: Completion | None, answer: Answer) -> list[NewAction]:
    """What keeps an orchestration from ending although its function has returned; empty when nothing does."""
    return replay.open_actions if completion is None and not replay.suspended and _returned(answer) else []


def hanging(actions: Sequence[NewAction]) -> str:
    """The note on an instance that has returned and waits for `actions` (at least one)."""
    kinds = {type(one) for one in actions}
    names = [_name(one) for one in actions[:_NAMED]]
    if len(actions) > _NAMED:
        names.append(f"{len(actions) - _NAMED} more")
    remedies: list[str] = []
    if CreateTimer in kinds:
        remedies.append(
            "Cancel the losing timer of a race; one over six days cannot be cancelled, so loop over shorter ones."
        )
    if CreateChild in kinds:
        remedies.append(
            "A sub-orchestration cannot be cancelled: await the loser of a race, too, or end it, by its event, a "
            "deadline of its own, or terminate; terminating this instance leaves it running."
        )
    if ScheduleTask in kinds:
        remedies.append("An activity cannot be cancelled: await the loser of a race, too, or let it give up in time.")
    verb = "is" if len(actions) == 1 else "are"
    return (
        f"{RETURNED}{', '.join(names)} {verb} still open: the instance stays Running, without output, until that ends, "
        f"here as in Azure. {' '.join(remedies)}"
    )


def _returned(answer: Answer) -> bool:
    return answer.is_done or answer.error is not None


def _name(action: NewAction) -> str:
    if isinstance(action, CreateTimer):
        return f"a timer until {action.fire_at}"
    if isinstance(action, CreateChild):
        return f"the sub-orchestration '{action.name}' (instance '{action.instance_id}')"
    if isinstance(action, ScheduleTask):
        return "a call_http" if action.name == HTTP_ACTIVITY else f"the activity '{action.name}'"
    return f"an operation of {action.instance_id}"


def _stuck(events: list[str], answer: Answer) -> str:
    error = f" with the error: {answer.error}" if answer.error is not None else ""
    return (
        f"{RETURNED}the extension goes through what it did in order and stands at its wait for the event "
        f"'{events[0]}': the instance stays Running until that is raised, here as in Azure. The orchestrator "
        f"ended{error}."
    )


def _lost(events: list[str]) -> str:
    names = ", ".join(sorted({f"'{name}'" for name in events}))
    return (
        f"continue_as_new dropped events that nobody had awaited yet: {names}. Azure loses them in silence. Await "
        "them before continuing as new, or keep such state in an entity."
    )
