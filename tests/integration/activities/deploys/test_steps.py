"""The activities of a deployment on a platform that does what the test says: state, log, cancel, secrets."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import traceback
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

import activities.deploys.outcome
import activities.deploys.running
import activities.deploys.steps
from activities.deploys.outcome import (
    claim_deployment,
    clean_up,
    end_deployment,
    roll_back,
    settle_deployment,
    stop_deployment,
)
from activities.deploys.steps import (
    build_image,
    promote_revision,
    provision_container,
    release_revision,
    sync_files,
    validate_deployment,
)
from shared.deploys.documents import store, transitions
from shared.deploys.models import CANCEL_CODE, ORPHANED, TAKEN, CancelReason, DeploymentStatus, Step
from shared.deploys.platforms.base import (
    BuildContext,
    BuildProgress,
    DomainProgress,
    Promoted,
    ReleaseProgress,
    Revision,
    Workspace,
)
from shared.deploys.requests import answers
from shared.deploys.running import logs
from shared.deploys.running.steps import (
    CancelDeployment,
    Claim,
    ContextReady,
    DeploymentRef,
    End,
    ImageReady,
    RevisionReady,
    Undo,
    WorkspaceReady,
)
from shared.deploys.secrets import secret_store
from shared.platform.durable.failures import AttemptFailed
from shared.platform.durable.handles import Envelope
from shared.platform.errors import Conflict, TerminalError, TransientError
from shared.platform.redaction import Redactor
from tests.present import present

CANARY = "canary-77aa-never-shown"
REVISION = Revision(name="r", url="http://r", healthy=True)
ANSWERS = {
    "validate": None,
    "provision": Workspace(reference="w"),
    "sync": BuildContext(reference="c"),
    "build": BuildProgress(done=True, image="i"),
    "release": ReleaseProgress(done=True, revision=REVISION),
    "promote": Promoted(url="http://app"),
    "configure_domain": DomainProgress(done=True, url="https://shop.example.com"),
    "rollback": None,
    "cleanup": None,
}


@pytest.fixture
def platform(monkeypatch, storage):
    """Answers as ANSWERS says; `platform.does["build"] = behaviour` of (spec, step) comes first."""
    asked = SimpleNamespace(does={}, calls=[])

    class Platform:
        def __getattr__(self, name):
            async def method(spec, *given):
                asked.calls.append(name)
                step = next(one for one in given if hasattr(one, "cancelled"))
                if name in asked.does:
                    answer = await asked.does[name](spec, step)
                    return ANSWERS[name] if answer is None else answer
                return ANSWERS[name]

            return method

    for steps in (activities.deploys.steps, activities.deploys.outcome):
        monkeypatch.setattr(steps, "platform", Platform)
    return asked


@pytest.fixture
async def ref(new):
    reference = await secret_store().put({"API_KEY": CANARY})
    written = await store.create(new(secrets_reference=reference))
    return DeploymentRef(deployment_id=written.id, organization_id=written.organization_id)


def tasks(ref: DeploymentRef) -> dict:
    """Every step of a deployment with what it is given, in their order."""
    known = ref.model_dump()
    return {
        "validate": (validate_deployment, ref),
        "provision": (provision_container, ref),
        "sync": (sync_files, WorkspaceReady(**known, workspace="w")),
        "build": (build_image, ContextReady(**known, context="c")),
        "release": (release_revision, ImageReady(**known, image="i")),
        "promote": (promote_revision, RevisionReady(**known, revision=REVISION)),
    }


async def load(ref: DeploymentRef):
    return await store.load(ref.deployment_id, ref.organization_id)


async def test_the_end_is_logged_with_what_dashboards_and_alerts_are_made_from(new, caplog) -> None:
    caplog.set_level("INFO", "activities.deploys.outcome")
    started = datetime.now(UTC) - timedelta(minutes=2)
    one = await store.create(
        new(created_at=started - timedelta(minutes=1), started_at=started, custom_domain="shop.example.com")
    )
    end = End(deployment_id=one.id, organization_id=one.organization_id, status=DeploymentStatus.FAILED, code="no-slot")
    await end_deployment(end)
    [ending] = [record for record in caplog.records if record.message == "A deployment has ended."]
    assert (ending.deployment, ending.organization, ending.projectId) == (one.id, one.organization_id, one.project_id)
    assert (ending.environment, ending.containerSize) == ("development", "0.5 cores, 1Gi")
    assert (ending.hasCustomDomain, ending.status, ending.code) == (True, "failed", "no-slot")
    assert ending.waited == 60
    assert 120 <= ending.duration < 180


async def test_each_step_is_written_down_with_its_duration(platform, ref) -> None:
    await claim_deployment(Claim(**ref.model_dump(), execution="e"))
    for step, task in tasks(ref).values():
        await step(task)
    await settle_deployment(ref)
    await clean_up(ref)
    ended = await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.COMPLETED))
    found = await load(ref)
    assert ended.status is found.status is DeploymentStatus.COMPLETED
    assert [one.name for one in found.steps] == list(Step)
    assert all(one.success and one.ended_at and one.ended_at >= one.started_at for one in found.steps)
    assert (found.progress, found.container_app_url) == (100, "http://app")
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert [f"[{step}]" in text for step in Step] == [True] * 6


@pytest.mark.parametrize("name", list(ANSWERS)[:6])
async def test_a_cancel_is_seen_within_a_second_in_every_step(platform, ref, name: str) -> None:
    began = asyncio.Event()

    async def work(_, step) -> None:
        began.set()
        while True:
            await step.check()
            await asyncio.sleep(0.05)

    platform.does[name] = work
    steps = tasks(ref)
    for earlier in list(steps)[: list(steps).index(name)]:
        step, task = steps[earlier]
        await step(task)
    step, task = steps[name]
    running = asyncio.ensure_future(step(task))
    await began.wait()
    asked = time.monotonic()
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    with pytest.raises(TerminalError) as cancelled:
        await running
    assert cancelled.value.code == CANCEL_CODE
    assert time.monotonic() - asked < 1
    ended = await end_deployment(
        End(**ref.model_dump(), status=DeploymentStatus.FAILED, code=cancelled.value.code, message="x")
    )
    assert ended.status is DeploymentStatus.CANCELLED


@pytest.mark.parametrize("name", list(ANSWERS)[1:6])
async def test_no_step_begins_after_a_cancel(platform, ref, name: str) -> None:
    await validate_deployment(ref)
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    platform.calls.clear()
    step, task = tasks(ref)[name]
    with pytest.raises(Conflict):
        await step(task)
    assert platform.calls == []


async def test_undoing_goes_on_after_the_cancel(platform, ref) -> None:
    async def undo(_, step) -> None:
        await step.check()

    platform.does |= {"rollback": undo, "cleanup": undo}
    await validate_deployment(ref)
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    await roll_back(Undo(**ref.model_dump()))
    await clean_up(ref)
    assert platform.calls[-2:] == ["rollback", "cleanup"]


async def test_why_it_is_undone_is_known_though_its_orchestration_is_lost(platform, ref) -> None:
    why: dict[str, Any] = {
        "code": "azure-unavailable",
        "message": f"promote failed: {CANARY}",
        "remedy": "See the log.",
    }
    await validate_deployment(ref)
    await roll_back(Undo(**ref.model_dump(), **why))
    assert present((await load(ref)).error).code == "azure-unavailable"
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert "promote failed: ***" in text
    lost: dict[str, Any] = {"code": ORPHANED, "message": "Its orchestration is gone.", "remedy": "Retry it."}
    await roll_back(Undo(**ref.model_dump(), **lost))
    await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, **lost))
    error = present((await load(ref)).error)
    assert (error.code, error.message) == ("azure-unavailable", "promote failed: ***")


async def test_a_cancelled_deployment_has_no_error(platform, ref) -> None:
    await validate_deployment(ref)
    await roll_back(Undo(**ref.model_dump(), code="first", message="x"))
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, code="first", message="x"))
    found = await load(ref)
    assert (found.status, found.error) == (DeploymentStatus.CANCELLED, None)


async def test_what_serves_is_not_undone(platform, ref) -> None:
    await settle_deployment(ref)
    with pytest.raises(Conflict):
        await roll_back(Undo(**ref.model_dump()))
    assert platform.calls == []


async def test_an_unhealthy_revision_is_refused_and_the_log_says_why(platform, ref) -> None:
    async def release(*_):
        return ReleaseProgress(done=True, revision=Revision(name="r", url="u", healthy=False, reason="exit code 1"))

    platform.does["release"] = release
    with pytest.raises(TerminalError) as refused:
        await release_revision(ImageReady(**ref.model_dump(), image="i"))
    assert refused.value.code == "revision-unhealthy"
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert "exit code 1" in text
    assert "what served before, serves on" in text


async def test_time_that_is_up_is_told_as_such(platform, ref) -> None:
    await validate_deployment(ref)
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.TIMEOUT))
    ended = await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, code=CANCEL_CODE, message="x"))
    assert (ended.status, ended.code) == (DeploymentStatus.FAILED, "deployment-timeout")


@pytest.mark.parametrize("error", [TerminalError, TransientError, RuntimeError, OSError])
async def test_variables_reach_neither_history_nor_state_nor_log(platform, ref, error, caplog) -> None:
    async def build(_, step) -> None:
        await step.log(f"compiling with {CANARY}")
        raise error(f"cannot use {CANARY}")

    platform.does["build"] = build
    task = ContextReady(**ref.model_dump(), context="c")
    try:
        answer = await build_image.answer(task.model_dump_json())
        failure = present(Envelope.model_validate_json(answer).failure)
        assert "cannot use ***" in failure.message
    except AttemptFailed as raised:
        answer = "".join(traceback.format_exception(raised))
        assert ("was not expected" in answer) == (error is not TransientError)
    await end_deployment(
        End(**ref.model_dump(), status=DeploymentStatus.FAILED, code="x", message=f"because of {CANARY}")
    )
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    found = present(await store.DEPLOYMENTS.find(ref.deployment_id, ref.organization_id))
    assert "compiling with ***" in text
    assert present(found["error"])["message"] == "because of ***"
    lines = str([vars(line) for line in caplog.records])
    everything = answer + text + json.dumps(found) + caplog.text + lines
    assert CANARY not in everything
    if error in (RuntimeError, OSError):  # the operator's log alone says what it was
        assert "cannot use ***" in lines
        assert error.__name__ not in answer + text


async def test_a_step_that_is_repeated_keeps_its_first_outcome(platform, ref) -> None:
    await validate_deployment(ref)
    first = (await load(ref)).steps
    await validate_deployment(ref)
    assert (await load(ref)).steps == first


async def test_only_one_execution_gets_a_deployment(ref) -> None:
    first = await claim_deployment(Claim(**ref.model_dump(), execution="one"))
    again = await claim_deployment(Claim(**ref.model_dump(), execution="one"))
    second = await claim_deployment(Claim(**ref.model_dump(), execution="two"))
    assert (first.claimed, again.claimed, second.claimed) == (True, True, False)
    await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED))
    assert not (await claim_deployment(Claim(**ref.model_dump(), execution="one"))).claimed


@pytest.fixture
def appends(monkeypatch):
    """Fails the appends to logs whose numbers are in `failing`, counted from 1."""
    known = SimpleNamespace(number=0, failing=set())
    append = logs._append

    async def counted(name, data, size):
        known.number += 1
        if known.number in known.failing:
            raise TransientError("Blob Storage is away", code="storage-unavailable")
        return await append(name, data, size)

    monkeypatch.setattr(logs, "_append", counted)
    return known


async def test_lines_that_could_not_be_appended_are_appended_later(ref, storage, appends, monkeypatch) -> None:
    monkeypatch.setattr(logs, "BLOCK_BYTES", 40)
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 60)
    appends.failing = {2}
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    lines = [f"line {number} of the build" for number in range(3)]
    await log.write("\n".join(lines))
    await log.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == lines


async def test_a_build_that_failed_stays_so_though_the_log_cannot_be_written(
    platform, ref, appends, monkeypatch
) -> None:
    async def fails(_, step) -> None:
        appends.failing = set(range(1_000))
        for line in ("npm error code 1", "npm error no such module"):  # as the builder says it, while the log is away
            await step.log(line)
        raise TerminalError("The build failed: no such module.", code="build-failed")

    monkeypatch.setattr(logs, "FLUSH_SECONDS", 0)
    platform.does["build"] = fails
    with pytest.raises(TerminalError) as failure:
        await build_image(ContextReady(**ref.model_dump(), context="c"))
    assert failure.value.code == "build-failed"
    assert (await load(ref)).steps[0].error == "The build failed: no such module."


async def test_lines_that_wait_for_the_storage_do_not_fill_the_memory(ref, storage, appends, monkeypatch) -> None:
    monkeypatch.setattr(logs, "BLOCK_BYTES", 40)
    monkeypatch.setattr(logs, "KEPT_BYTES", 500)
    appends.failing = set(range(1_000))
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    for number in range(60):
        await log.write(f"line {number} of the build")
    appends.failing = set()
    await log.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert text.splitlines()[-1].endswith("line 59 of the build")
    assert text.startswith("Blob Storage was away: ")
    assert len(text) < 700


async def test_defect_lines_whose_answer_was_lost_are_appended_twice(ref, storage, monkeypatch) -> None:
    blob = logs._blob

    def losing(name):
        client = blob(name)
        append = client.append_block

        async def twice(data, **conditions):
            await append(data, **conditions)  # its answer is lost, and the client sends it again
            return await append(data, **conditions)

        monkeypatch.setattr(client, "append_block", twice)
        return client

    monkeypatch.setattr(logs, "_blob", losing)
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    other = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    for number in range(3):
        await log.write(f"line {number}")
        await log.flush()
        await other.write(f"of another run {number}")
        await other.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert [line[9:] for line in text.splitlines()] == [
        line for number in range(3) for line in (f"line {number}", f"of another run {number}")
    ]


async def test_a_build_that_failed_stays_so_though_the_document_cannot_be_written(platform, ref, monkeypatch) -> None:
    async def away(*_) -> None:
        raise TransientError("the database is away")

    async def fails(_, step) -> None:
        monkeypatch.setattr(activities.deploys.running, "end_step", away)
        raise TerminalError("The build failed: no such module.", code="build-failed")

    platform.does["build"] = fails
    with pytest.raises(TerminalError) as failure:
        await build_image(ContextReady(**ref.model_dump(), context="c"))
    assert failure.value.code == "build-failed"


async def test_defect_a_step_that_succeeded_fails_since_its_log_cannot_be_written(
    platform, ref, appends, monkeypatch
) -> None:
    async def works(_, step) -> None:
        appends.failing = set(range(1_000))
        await step.log("the end of the build")

    async def away(*_) -> int:
        raise TransientError("Blob Storage is away", code="storage-unavailable")

    monkeypatch.setattr(logs, "size", away)
    platform.does["validate"] = works
    await validate_deployment(ref)
    assert (await load(ref)).steps[0].success


async def test_a_log_is_read_on_from_where_it_ended(platform, ref) -> None:
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    assert await logs.read(ref.organization_id, ref.deployment_id, after=0) == ("", 0)
    lines, after = [], 0
    for number in range(30):
        await log.write(f"line {number}\nand more of {number}")
        await log.flush()
        text, after = await logs.read(ref.organization_id, ref.deployment_id, after=after)
        lines += text.splitlines()
    assert await logs.read(ref.organization_id, ref.deployment_id, after=after) == ("", after)
    assert [line[9:] for line in lines] == [
        text for number in range(30) for text in (f"line {number}", f"and more of {number}")
    ]
    small, following = await logs.read(ref.organization_id, ref.deployment_id, after=0, limit=40)
    assert small.endswith("\n")
    assert following == len(small) <= 40


async def test_a_log_has_an_end(ref, storage, monkeypatch) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", 1_000)
    log = logs.DeploymentLog(ref.organization_id, ref.deployment_id, Redactor(()))
    monkeypatch.setattr(logs, "END_BYTES", 1_000)
    monkeypatch.setattr(logs, "BLOCK_BYTES", 500)
    for number in range(40):
        await log.write(f"{number} " + "x" * 100)
    await log.flush()
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    assert len(text) < 3_000
    assert "lines are left out here" in text
    assert text.splitlines()[-1].endswith("39 " + "x" * 100)


async def test_a_time_box_that_is_run_again_writes_each_line_once(platform, ref, monkeypatch) -> None:
    lines = [f"line {number} of the build" for number in range(40)]
    lines[20] = lines[7]
    attempts = []

    async def builds(_, step) -> None:
        attempts.append(1)
        await step.log("\n".join(lines if len(attempts) > 1 else lines[:30]))
        if len(attempts) == 1:
            raise asyncio.CancelledError  # the host ends: what was not appended by then is written by the next run

    platform.does["build"] = builds
    monkeypatch.setattr(logs, "FLUSH_SECONDS", -1)
    with pytest.raises(asyncio.CancelledError):
        await build_image(ContextReady(**ref.model_dump(), context="c"))
    await build_image(ContextReady(**ref.model_dump(), context="c"))
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    written = [line.split(" ", 1)[1] for line in text.splitlines()]
    assert written == ["[build] building_image", *lines]


async def test_a_value_over_the_ends_of_lines_and_writes_is_hidden(platform, ref) -> None:
    wrapped = base64.encodebytes(("x" * 200 + CANARY * 4).encode()).decode()
    cut = f"before {CANARY[:9]}\n{CANARY[9:]} after"

    async def builds(_, step) -> None:
        for part in (wrapped, cut):
            for line in part.splitlines():
                await step.log(line)
        await step.log("LEVEL=info is information")

    platform.does["build"] = builds
    await build_image(ContextReady(**ref.model_dump(), context="c"))
    text, _ = await logs.read(ref.organization_id, ref.deployment_id, after=0)
    joined = "".join(line.split(" ", 1)[1] for line in text.splitlines())
    assert CANARY[9:] not in joined
    assert base64.b64encode(CANARY.encode()).decode()[2:-4] not in joined
    assert "information" in joined


async def newer_of(ref, new, status=DeploymentStatus.COMPLETED, **changes):
    """A deployment of the same app that was requested later."""
    older = await load(ref)
    later = {"created_at": older.created_at + timedelta(seconds=1), "status": status, **changes}
    return await store.create(new(**{"organization_id": older.organization_id, "project_id": older.project_id} | later))


async def test_an_older_deployment_that_the_queue_delivers_late_ends_as_superseded(platform, ref, new) -> None:
    newer = await newer_of(ref, new)
    claimed = await claim_deployment(Claim(**ref.model_dump(), execution="e"))
    found = await load(ref)
    assert (claimed.claimed, found.status) == (False, DeploymentStatus.CANCELLED)
    assert present(found.error).code == "deployment-superseded"
    assert newer.id in present(found.error).message


@pytest.mark.parametrize("step", ["validate", "promote"])
async def test_one_that_was_overtaken_while_it_waited_or_built_gets_no_traffic(platform, ref, new, step: str) -> None:
    await claim_deployment(Claim(**ref.model_dump(), execution="e"))
    await newer_of(ref, new, DeploymentStatus.UPDATING_DATABASE)
    run, task = tasks(ref)[step]
    with pytest.raises(TerminalError) as refused:
        await run(task)
    assert (refused.value.code, step in platform.calls) == (CANCEL_CODE, False)
    await roll_back(Undo(**ref.model_dump(), code=CANCEL_CODE, message="x"))
    ended = await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, code=CANCEL_CODE))
    assert (ended.status, ended.code) == (DeploymentStatus.CANCELLED, "deployment-superseded")


async def test_what_another_environment_or_an_earlier_request_serves_supersedes_nothing(platform, ref, new) -> None:
    await newer_of(ref, new, environment="production")
    await newer_of(ref, new, created_at=(await load(ref)).created_at - timedelta(seconds=1))
    await newer_of(ref, new, DeploymentStatus.FAILED)
    assert (await claim_deployment(Claim(**ref.model_dump(), execution="e"))).claimed
    for step, task in tasks(ref).values():
        await step(task)


@pytest.mark.parametrize("name", [*list(ANSWERS)[:6], "settle", "undo", "clean_up", "end"])
async def test_what_another_hub_has_taken_over_is_not_touched_any_more(platform, ref, new, name: str) -> None:
    ours, theirs = uuid4(), uuid4()
    mine = ref.model_copy(update={"hub": ours})
    assert (await claim_deployment(Claim(**mine.model_dump(), execution="e"))).claimed
    await validate_deployment(mine)
    seen = await load(ref)
    await store.change(
        ref.deployment_id,
        ref.organization_id,
        lambda deployment, now: transitions.take_over(deployment, seen, theirs, now),
    )
    platform.calls.clear()
    before = await load(ref)
    steps: dict[str, tuple[Any, Any]] = {
        **tasks(mine),
        "settle": (settle_deployment, mine),
        "undo": (roll_back, Undo(**mine.model_dump(), code="first", message="x")),
        "clean_up": (clean_up, mine),
        "end": (end_deployment, End(**mine.model_dump(), status=DeploymentStatus.COMPLETED)),
    }
    step, task = steps[name]
    with pytest.raises(Conflict) as refused:
        await step(task)
    assert (refused.value.code, platform.calls, await load(ref)) == (TAKEN, [], before)
    assert not (await claim_deployment(Claim(**mine.model_dump(), execution="e"))).claimed


async def test_a_running_step_ends_when_another_hub_takes_over(platform, ref) -> None:
    mine = ref.model_copy(update={"hub": uuid4()})
    await claim_deployment(Claim(**mine.model_dump(), execution="e"))

    async def work(_, step) -> None:
        seen = await load(ref)
        await store.change(
            ref.deployment_id,
            ref.organization_id,
            lambda deployment, now: transitions.take_over(deployment, seen, uuid4(), now),
        )
        async with asyncio.timeout(5):
            while True:
                await step.check()
                await asyncio.sleep(0.05)

    platform.does["build"] = work
    with pytest.raises(TerminalError) as cancelled:
        await build_image(ContextReady(**mine.model_dump(), context="c"))
    assert cancelled.value.code == CANCEL_CODE


async def test_what_the_source_turned_out_to_be_is_noted(platform, ref) -> None:
    note = "The source asks for Node 18, which is not there (20, 22)."

    async def work(_spec, _step) -> BuildContext:
        return BuildContext(reference="c", commit="a" * 40, runtime="Node 20", notes=(note,))

    platform.does["sync"] = work
    step, task = tasks(ref)["sync"]
    await step(task)
    shown = answers.state(await load(ref))
    assert (shown.runtime, shown.notes) == ("Node 20", [note])
    platform.does.clear()
    await step(task)  # the source is there already: what is known of it stays
    assert ((await load(ref)).runtime, (await load(ref)).fetched_commit) == ("Node 20", "a" * 40)
