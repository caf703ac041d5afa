"""A step while it runs: it sees a cancel, writes its log once, and is refused once another task hub has taken over."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import timedelta
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
from activities.deploys.steps import build_image, validate_deployment
from shared.deploys.documents import store, transitions
from shared.deploys.models import CANCEL_CODE, TAKEN, CancelReason, DeploymentStatus
from shared.deploys.running import logs
from shared.deploys.running.steps import CancelDeployment, Claim, ContextReady, End, Undo
from shared.platform.errors import Conflict, TerminalError, TransientError
from shared.platform.redaction import Redactor
from tests.integration.activities.deploys.worked_on import ANSWERS, CANARY, load, newer_of, tasks


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
    cancelled_at = time.monotonic()
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.REQUEST))
    with pytest.raises(TerminalError) as cancelled:
        await running
    assert cancelled.value.code == CANCEL_CODE
    assert time.monotonic() - cancelled_at < 1
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


async def test_time_that_is_up_is_told_as_such(platform, ref) -> None:
    await validate_deployment(ref)
    await stop_deployment(CancelDeployment(**ref.model_dump(), reason=CancelReason.TIMEOUT))
    ended = await end_deployment(End(**ref.model_dump(), status=DeploymentStatus.FAILED, code=CANCEL_CODE, message="x"))
    assert (ended.status, ended.code) == (DeploymentStatus.FAILED, "deployment-timeout")


async def test_a_step_that_is_repeated_keeps_its_first_outcome(platform, ref) -> None:
    await validate_deployment(ref)
    first = (await load(ref)).steps
    await validate_deployment(ref)
    assert (await load(ref)).steps == first


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
