"""The routes of deployments, on a real document database and a real blob store."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.deploys import secrets, sources
from shared.deploys.documents import projects, store
from shared.deploys.models import ArchiveSource, DeploymentStatus, GitSource, Parameters
from shared.deploys.platforms.base import AppHealth
from shared.deploys.requests import intake
from shared.deploys.secrets import secret_store
from shared.platform.errors import TransientError
from tests.integration.triggers.deploys.conftest import ADMIN, change
from tests.present import present

CANARY = "canary-5f1c-never-shown"


async def test_a_deployment_is_accepted_in_the_known_shape(ask, body, sent) -> None:
    status, answer, headers = await ask("POST", "/deploy", body)
    assert status == 202
    assert set(answer) == {"success", "deploymentId", "status", "message", "estimatedDuration"}
    assert (answer["success"], answer["status"]) == (True, "queued")
    assert headers["Location"] == f"/deploy/{answer['deploymentId']}/status"
    [(queue, message, message_id)] = sent.messages
    assert (queue, message_id) == ("deployments", answer["deploymentId"])
    assert message == {
        "deploymentId": answer["deploymentId"],
        "organizationId": body["organizationId"],
        "what": "start",
        "attempt": 1,
    }
    status, shown, _ = await ask("GET", headers["Location"])
    assert status == 200
    assert {
        "success",
        "deploymentId",
        "status",
        "progress",
        "startedAt",
        "completedAt",
        "containerAppUrl",
        "customDomainUrl",
        "error",
        "steps",
    } <= set(shown)


async def test_defect_the_consumer_updates_state_before_it_exists(ask, body, sent, monkeypatch) -> None:
    """The document is there, whole, before the message is sent."""
    seen = []

    async def send(_queue, text, **_) -> None:
        message = json.loads(text)
        seen.append(await store.find(message["deploymentId"], message["organizationId"]))

    monkeypatch.setattr("shared.deploys.requests.queue.send", send)
    await ask("POST", "/deploy", body)
    assert [one.status for one in seen] == [DeploymentStatus.QUEUED]


async def test_an_accepted_deployment_is_not_lost_with_the_queue(ask, body, sent) -> None:
    sent.down = True
    status, answer, _ = await ask("POST", "/deploy", body)
    assert (status, sent.messages) == (202, [])
    sent.down = False
    assert await intake.send_unsent(timedelta(seconds=-1)) >= 1
    assert answer["deploymentId"] in [message["deploymentId"] for _, message, _ in sent.messages]
    sent.messages.clear()
    await intake.send_unsent(timedelta(seconds=-1))
    assert answer["deploymentId"] not in [message_id for _, _, message_id in sent.messages]


@pytest.mark.parametrize("lost", ["the note of the project", "the note that it was sent", "the answer of its creation"])
async def test_what_is_written_is_accepted_though_the_database_goes_away(ask, body, sent, monkeypatch, lost) -> None:
    def away(*_, **__):
        raise TransientError("Cosmos DB did not answer.")

    if lost == "the note of the project":
        note = projects.update
        monkeypatch.setattr(projects, "update", lambda *a, **k: away() if "deployment_id" in k else note(*a, **k))
    elif lost == "the note that it was sent":
        monkeypatch.setattr(store, "change", away)
    else:
        create = store.create

        async def half(deployment):
            await create(deployment)
            away()

        monkeypatch.setattr(store, "create", half)
    status, answer, _ = await ask("POST", "/deploy", body)
    assert status == 202
    monkeypatch.undo()
    [made] = (await store.of_project(body["organizationId"], "shop", limit=9)).deployments
    assert made.id == answer["deploymentId"]


async def test_variables_are_nowhere_but_in_the_secret_store(ask, body, sent) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, "envVariables": {"API_KEY": CANARY}})
    assert status == 202
    found = present(await store.DEPLOYMENTS.find(answer["deploymentId"], body["organizationId"]))
    shown = await ask("GET", f"/deploy/{answer['deploymentId']}/status")
    listed = await ask("GET", f"/deploy/project/shop?organizationId={body['organizationId']}")
    assert CANARY not in json.dumps([answer, found, shown, listed, sent.messages])
    assert await secret_store().get(found["secretsReference"]) == {"API_KEY": CANARY}


async def test_the_token_of_a_private_repository_is_kept_as_a_secret_that_no_app_is_given(ask, body, sent) -> None:
    private = {"gitUrl": "https://example.com/a/b", "gitToken": CANARY, "gitUser": "oauth2", "sourceHash": None}
    status, answer, _ = await ask("POST", "/deploy", {**body, **private, "envVariables": {"API_KEY": "given"}})
    assert status == 202, answer
    found = present(await store.DEPLOYMENTS.find(answer["deploymentId"], body["organizationId"]))
    shown = await ask("GET", f"/deploy/{answer['deploymentId']}/status")
    listed = await ask("GET", f"/deploy/project/shop?organizationId={body['organizationId']}")
    assert CANARY not in json.dumps([answer, found, shown, listed, sent.messages])
    reference = found["secretsReference"]
    assert await secrets.git_token(reference) == CANARY
    assert await secrets.variables_of(reference) == {"API_KEY": "given"}
    assert (await secrets.redactor(reference))(f"basic {CANARY}") == "basic ***"


async def test_a_repository_is_fetched_again_with_its_own_token(ask, body, state, storage) -> None:
    private = {"gitUrl": "https://example.com/a/b", "gitToken": CANARY, "commitSha": "a" * 40, "sourceHash": None}
    _, first, _ = await ask("POST", "/deploy", {**body, **private})
    await change(first, DeploymentStatus.COMPLETED)
    other = {**private, "gitUrl": "https://example.org/c/d", "gitToken": "another-token"}
    _, second, _ = await ask("POST", "/deploy", {**body, **other})
    await change(second, DeploymentStatus.COMPLETED)
    _, back, _ = await ask("POST", f"/deploy/{first['deploymentId']}/rollback")
    assert await secrets.git_token((await store.load(back["deploymentId"], state)).secrets_reference) == CANARY
    await change(back, DeploymentStatus.FAILED)
    _, again, _ = await ask("POST", f"/deploy/{back['deploymentId']}/retry")
    assert await secrets.git_token((await store.load(again["deploymentId"], state)).secrets_reference) == CANARY
    await change(again, DeploymentStatus.COMPLETED)
    status, as_last, _ = await ask("POST", "/api/deploy", {"projectId": "shop", "orgId": state, "userId": "u"})
    assert status == 202
    assert await secrets.git_token((await store.load(as_last["deploymentId"], state)).secrets_reference) == CANARY


@pytest.mark.parametrize(
    "change_",
    [
        {"gitToken": CANARY},
        {"gitUrl": "https://example.com/a/b", "gitUser": "me", "sourceHash": None},
        {"gitUrl": "https://example.com/a/b", "gitToken": f"{CANARY} {CANARY}", "sourceHash": None},
        {"gitUrl": "https://example.com/a/b", "gitToken": f"{CANARY}\r\nX: y", "sourceHash": None},
        {"gitUrl": "https://example.com/a/b", "gitToken": "short", "sourceHash": None},
        {"gitUrl": "https://example.com/a/b", "gitToken": CANARY, "gitUser": "a:b", "sourceHash": None},
    ],
)
async def test_a_token_that_cannot_be_used_is_refused_and_not_repeated(ask, body, change_) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, **change_})
    assert status == 400
    assert CANARY not in json.dumps(answer)


async def test_files_of_the_request_are_the_source_and_the_newest_of_the_project(
    ask, body, state, storage, tmp_path
) -> None:
    files = [
        {"path": "src/app.py", "content": "print('ä')"},
        {"path": "logo.png", "content": "iVBORw0KGgo=", "encoding": "base64"},
    ]
    status, answer, _ = await ask("POST", "/deploy", {**body, "sourceHash": None, "files": files})
    assert status == 202, answer
    source = (await store.load(answer["deploymentId"], state)).source
    assert isinstance(source, ArchiveSource)
    assert present(await projects.find(state, "shop")).source_hash == source.hash
    await sources.fetch(source, state, "shop", tmp_path / "source", cancelled=_never)
    assert (tmp_path / "source" / "src" / "app.py").read_text() == "print('ä')"
    assert (tmp_path / "source" / "logo.png").read_bytes() == b"\x89PNG\r\n\x1a\n"
    _, again, _ = await ask("POST", "/deploy", {**body, "sourceHash": None, "files": files[::-1]})
    assert (await store.load(again["deploymentId"], state)).source == source


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([{"path": "../app.py", "content": ""}], "source-refused"),
        ([{"path": "/app.py", "content": ""}], "source-refused"),
        ([{"path": "a/", "content": ""}], "source-refused"),
        ([{"path": "a\\b", "content": ""}], "source-refused"),
        *(
            ([{"path": "a/ä.py", "content": ""}, {"path": other, "content": "x"}], "invalid-input")
            for other in ("a/ä.py", "./a//ä.py", "A/Ä.PY", "a/a\u0308.py", "a./ä.py. ", "a/ä.py/b", "A")
        ),
        ([{"path": "a.py", "content": "no base64!", "encoding": "base64"}], "invalid-input"),
        ([{"path": "a.py", "content": "x" * 300_000}, {"path": "b.py", "content": "x" * 300_000}], "invalid-input"),
        ([{"path": f"{number}.py", "content": ""} for number in range(201)], "invalid-input"),
    ],
    ids=["outside", "absolute", "folder", "backslash", *["twice"] * 7, "no base64", "too large", "too many"],
)
async def test_files_that_are_no_source_are_refused(ask, body, storage, files, code) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, "sourceHash": None, "files": files})
    assert (status, answer["code"]) == (400, code), answer


async def test_a_request_names_one_source(ask, body) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, "files": [{"path": "app.py", "content": ""}]})
    assert (status, answer["code"]) == (400, "invalid-input")


async def _never() -> bool:
    return False


@pytest.mark.parametrize(
    "change_",
    [
        {"envVariables": {"BAD NAME": CANARY}},
        {"envVariables": {f"NAME={CANARY}": ""}},
        {"envVariables": {"NAME": {"value": CANARY}}},
        {"envVariables": {"NAME": f"{CANARY}\0"}},
        {"envVariables": {"NAME": CANARY * 2_000}},
        {"envVariables": CANARY},
        {"envVariables": {"PORT": CANARY}},
    ],
)
async def test_a_refusal_does_not_repeat_a_variable(ask, body, change_) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, **change_})
    assert status == 400
    assert answer["errors"][0]["pointer"].startswith("#/envVariables")
    assert CANARY not in json.dumps(answer)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("projectId", "../x", "1 to 64 letters, digits, - and _"),
        ("organizationId", "a/b", "1 to 64 letters, digits, - and _"),
        ("branch", "--upload-pack=x", "the name of a branch"),
        ("commitSha", "abc", "40 hexadecimal digits"),
        ("customDomain", "https://shop.example.com/", "a host name with a dot"),
        ("environment", "prod", "'development', 'staging' or 'production'"),
        ("buildCommand", "make && make install", "'&&' is for a shell"),
        ("startCommand", "'unclosed", "cannot be split into words"),
        ("containerSize", {"cpu": "9", "memory": "1Gi"}, '"0.25" to "4"'),
        ("containerSize", {"cpu": "1", "memory": "4Gi"}, "memory twice as many Gi"),
        ("sourceHash", "zz", "64 hexadecimal digits"),
        ("projectName", " ", "nothing in it that can be seen"),
    ],
)
async def test_a_refusal_names_the_field_and_what_it_has_to_be(ask, body, field, value, says) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, field: value})
    assert status == 400
    [problem] = answer["errors"]
    assert problem["pointer"].startswith(f"#/{field}")
    assert says in problem["detail"]
    assert "Value error" not in json.dumps(answer)


async def test_a_body_over_the_limit_is_refused_with_a_remedy(ask, state, storage) -> None:
    path = f"/deploy/project/shop/source?organizationId={state}"
    status, answer, _ = await ask("PUT", path, b"PK\x03\x04" + bytes(51_000_000))
    assert (status, answer["code"]) == (413, "payload-too-large")
    assert "/docs" in answer["remedy"]


async def test_defect_retry_drops_parameters(ask, body) -> None:
    everything = {
        **body,
        "templateType": "flask",
        "branch": "next",
        "environment": "staging",
        "customDomain": "shop.example.com",
        "envVariables": {"API_KEY": CANARY},
        "buildCommand": "make build",
        "startCommand": "python app.py",
        "containerSize": {"cpu": "2", "memory": "4Gi"},  # not the environment's own
    }
    _, first, _ = await ask("POST", "/deploy", everything)
    await change(first, DeploymentStatus.FAILED)
    status, again, headers = await ask("POST", f"/deploy/{first['deploymentId']}/retry")
    assert status == 202
    assert again["originalDeploymentId"] == first["deploymentId"]
    assert again["newDeploymentId"] == again["deploymentId"] != first["deploymentId"]
    assert headers["Location"] == f"/deploy/{again['newDeploymentId']}/status"
    old, new = [await store.load(one["deploymentId"], None) for one in (first, again)]
    assert new.spec() == old.spec().model_copy(update={"deployment_id": new.id})
    given = {"source", "secrets_reference", *Parameters.model_fields}
    assert new.model_dump(include=given) == old.model_dump(include=given)


async def test_what_failed_too_long_ago_is_retried_no_more(ask, new) -> None:
    ended = datetime.now(UTC) - timedelta(days=90)
    written = await store.create(new(status=DeploymentStatus.FAILED, completed_at=ended))
    code, answer, _ = await ask("POST", f"/deploy/{written.id}/retry")
    assert (code, answer["code"]) == (400, "retry-too-late")


@pytest.mark.parametrize("status", [s for s in DeploymentStatus if s is not DeploymentStatus.FAILED])
async def test_only_a_failed_deployment_is_retried(ask, new, status) -> None:
    written = await store.create(new(status=status))
    code, answer, _ = await ask("POST", f"/deploy/{written.id}/retry")
    assert (code, answer["code"]) == (400, "not-failed")


@pytest.mark.parametrize("status", [DeploymentStatus.COMPLETED, DeploymentStatus.FAILED])
async def test_what_has_ended_cannot_be_cancelled(ask, new, status) -> None:
    written = await store.create(new(status=status))
    code, answer, _ = await ask("POST", f"/deploy/{written.id}/cancel")
    assert (code, answer["code"]) == (400, "deployment-ended")


async def test_a_queued_deployment_is_cancelled_at_once_and_again_without_harm(ask, body) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    for _ in range(2):
        status, answer, _ = await ask("POST", f"/deploy/{first['deploymentId']}/cancel")
        assert (status, answer["status"]) == (200, "cancelled")


async def test_one_at_work_is_noted_to_be_cancelled(ask, new) -> None:
    written = await store.create(new(status=DeploymentStatus.BUILDING_IMAGE))
    status, answer, _ = await ask("POST", f"/deploy/{written.id}/cancel")
    assert (status, answer["status"]) == (200, "building_image")
    _, shown, _ = await ask("GET", f"/deploy/{written.id}/status")
    assert shown["cancelRequested"]


async def test_the_v2_contract(ask, body, state) -> None:
    request_body = {"projectId": "shop", "orgId": state, "userId": "u2"}
    status, answer, _ = await ask("POST", "/api/deploy", request_body)
    assert (status, answer["code"]) == (404, "unknown-project")
    _, first, _ = await ask("POST", "/deploy", {**body, "buildCommand": "make", "environment": "staging"})
    status, answer, _ = await ask("POST", "/api/deploy", request_body)
    assert (status, answer["code"]) == (409, "deployment-in-progress")
    await change(first, DeploymentStatus.COMPLETED)
    status, answer, _ = await ask("POST", "/api/deploy", {**request_body, "customDomain": "new.example.com"})
    assert status == 202
    assert set(answer) == {"success", "deploymentId", "status", "message", "estimatedDuration"}
    made = await store.load(answer["deploymentId"], state)
    assert (made.user_id, made.custom_domain, made.build_command) == ("u2", "new.example.com", "make")
    assert made.environment == "staging"


async def test_of_two_v2_requests_at_once_one_is_accepted(ask, body, state) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    await change(first, DeploymentStatus.COMPLETED)
    for _ in range(3):
        answers = await asyncio.gather(
            *(ask("POST", "/api/deploy", {"projectId": "shop", "orgId": state, "userId": "u"}) for _ in range(4))
        )
        assert sorted(status for status, _, _ in answers) == [202, 409, 409, 409]
        assert {answer["code"] for status, answer, _ in answers if status == 409} == {"deployment-in-progress"}
        [accepted] = [answer for status, answer, _ in answers if status == 202]
        await change(accepted, DeploymentStatus.COMPLETED)


async def test_a_repeated_request_with_its_key_is_one_deployment(ask, body, state, tmp_path) -> None:
    keyed = {**ADMIN, "Idempotency-Key": "build-77"}
    requests = [ask("POST", "/deploy", {**body, "envVariables": {"A": CANARY}}, keyed) for _ in range(4)]
    answers = await asyncio.gather(*requests)
    assert {status for status, _, _ in answers} == {202}
    [id_] = {answer["deploymentId"] for _, answer, _ in answers}
    assert sorted(headers.get("Idempotency-Replayed", "") for _, _, headers in answers) == ["", "true", "true", "true"]
    assert len((await store.of_project(state, "shop", limit=10)).deployments) == 1
    status, again, headers = await ask("POST", "/deploy", {**body, "envVariables": {"A": CANARY}}, keyed)
    assert (status, again["deploymentId"], headers["Idempotency-Replayed"]) == (202, id_, "true")
    status, refused, _ = await ask("POST", "/deploy", {**body, "environment": "staging"}, keyed)
    assert (status, refused["code"]) == (409, "idempotency-key-reused")
    status, refused, _ = await ask("POST", "/deploy", {**body, "envVariables": {"A": f"{CANARY}2"}}, keyed)
    assert (status, refused["code"]) == (409, "idempotency-key-reused")
    assert CANARY not in json.dumps(refused)
    status, other, _ = await ask("POST", "/deploy", body, {**ADMIN, "Idempotency-Key": "build-78"})
    assert other["deploymentId"] != id_
    assert await secret_store().get(present((await store.load(id_, state)).secrets_reference)) == {"A": CANARY}
    kept = list((tmp_path / "secrets").iterdir())
    assert len(kept) == 1


async def test_defect_a_key_of_a_deployment_that_was_deleted_gives_one_that_never_starts(ask, body, state) -> None:
    """Its id was that of the first, whose message, build and orchestration are known under it."""
    keyed = {**ADMIN, "Idempotency-Key": "build-81"}
    _, first, _ = await ask("POST", "/deploy", body, keyed)
    await store.delete(await store.load(first["deploymentId"], state))
    status, again, headers = await ask("POST", "/deploy", {**body, "environment": "staging"}, keyed)
    assert (status, headers.get("Idempotency-Replayed")) == (202, None)
    assert again["deploymentId"] != first["deploymentId"]
    assert (await store.load(again["deploymentId"], state)).environment == "staging"
    _, repeated, headers = await ask("POST", "/deploy", {**body, "environment": "staging"}, keyed)
    assert (repeated["deploymentId"], headers["Idempotency-Replayed"]) == (again["deploymentId"], "true")


async def test_a_request_that_ended_before_its_deployment_was_written_is_repeated(
    ask, body, state, monkeypatch
) -> None:
    keyed = {**ADMIN, "Idempotency-Key": "build-82"}

    async def away(_: object) -> None:
        raise TransientError("Cosmos DB did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "create", away)
        assert (await ask("POST", "/deploy", body, keyed))[0] == 503
    status, accepted, headers = await ask("POST", "/deploy", body, keyed)
    assert (status, headers.get("Idempotency-Replayed")) == (202, None)
    assert (await store.load(accepted["deploymentId"], state)).project_id == "shop"


async def test_defect_a_key_is_refused_once_its_deployment_s_variables_are_forgotten(ask, body, state) -> None:
    keyed, request_body = {**ADMIN, "Idempotency-Key": "build-80"}, {**body, "envVariables": {"A": CANARY}}
    _, first, _ = await ask("POST", "/deploy", request_body, keyed)
    await store.change(first["deploymentId"], state, lambda one, _: one.model_copy(update={"secrets_reference": None}))
    status, again, _ = await ask("POST", "/deploy", request_body, keyed)
    assert (status, again["deploymentId"]) == (202, first["deploymentId"])


async def test_a_key_with_another_token_of_the_repository_is_refused(ask, body) -> None:
    del body["sourceHash"]
    for token, expected in (("glpat-one-4711", 202), ("glpat-one-4711", 202), ("glpat-two-4711", 409)):
        request_body = {**body, "gitUrl": "https://github.com/azure-samples/a", "gitToken": token}
        status, answer, _ = await ask("POST", "/deploy", request_body, {**ADMIN, "Idempotency-Key": "build-79"})
        assert status == expected, answer


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "ssh://git@github.com/a/b",
        "git@github.com:a/b.git",
        f"https://me:{CANARY}@github.com/a/b",
        "https://localhost/a/b",
        "https://169.254.169.254/latest",
        "https://github.com/a/../../b",
        "--upload-pack=touch /tmp/x",
    ],
)
async def test_a_git_url_is_refused_by_the_route_with_its_reason(ask, body, url) -> None:
    del body["sourceHash"]
    status, answer, _ = await ask("POST", "/deploy", {**body, "gitUrl": url})
    assert (status, answer["code"]) == (400, "git-url-refused")
    assert answer["errors"][0]["pointer"] == "#/gitUrl"
    reason = "no repository's" if ".." in url else "https address without credentials"
    assert reason in json.dumps(answer)
    assert CANARY not in json.dumps(answer)


async def test_a_git_url_is_taken_where_there_is_no_program_git(ask, body, monkeypatch, tmp_path) -> None:
    del body["sourceHash"]
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, _ = await ask("POST", "/deploy", {**body, "gitUrl": "https://github.com/azure-samples/a"})
    assert status == 202


async def test_a_hash_that_nobody_uploaded_is_refused(ask, body) -> None:
    status, answer, _ = await ask("POST", "/deploy", {**body, "sourceHash": "f" * 64})
    assert (status, answer["code"]) == (400, "source-not-found")


async def test_lists_show_what_stands_where(ask, body, state) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    await change(first, DeploymentStatus.FAILED)
    await ask("POST", "/deploy", body)
    status, answer, _ = await ask("GET", f"/status/deployments/{state}?limit=1")
    assert status == 200
    assert answer["counts"] == {"queued": 1, "failed": 1}
    assert len(answer["data"]) == 1
    assert answer["pagination"]["next"]
    status, failed, _ = await ask("GET", f"/status/deployments/{state}?status=failed")
    assert [one["deploymentId"] for one in failed["data"]] == [first["deploymentId"]]


async def test_the_status_of_a_completed_deployment_shows_how_its_app_is_doing(ask, body, apps) -> None:
    _, first, _ = await ask("POST", "/deploy", body)
    url = f"/deploy/{first['deploymentId']}/status"
    apps.health = AppHealth(healthy=False, restarts=7, reason="It ended: code 1.")
    assert (await ask("GET", url))[1]["app"] is None
    await change(first, DeploymentStatus.COMPLETED)
    assert (await ask("GET", url))[1]["app"] == {"healthy": False, "restarts": 7, "reason": "It ended: code 1."}
    apps.health = TransientError("the platform is away")
    status, shown, _ = await ask("GET", url)
    assert (status, shown["status"], shown["app"]) == (200, "completed", None)


async def test_an_earlier_version_is_deployed_anew_with_the_variables_of_today(ask, body, state, storage) -> None:
    _, first, _ = await ask("POST", "/deploy", {**body, "buildCommand": "make", "envVariables": {"LEVEL": "1"}})
    url = f"/deploy/{first['deploymentId']}/rollback"
    assert (await ask("POST", url))[1]["code"] == "not-completed"
    await change(first, DeploymentStatus.COMPLETED)
    newer = {**body, "envVariables": {"LEVEL": "2"}, "plainVariables": ["LEVEL"]}
    _, second, _ = await ask("POST", "/deploy", newer)
    await change(second, DeploymentStatus.COMPLETED)
    status, answer, headers = await ask("POST", url)
    assert (status, answer["originalDeploymentId"]) == (202, first["deploymentId"])
    again, serving = [await store.load(one["deploymentId"], state) for one in (answer, second)]
    assert (again.build_command, again.source) == ("make", ArchiveSource(hash=body["sourceHash"]))
    assert (again.secrets_reference, again.plain_variables) == (serving.secrets_reference, ["LEVEL"])
    assert headers["Location"] == f"/deploy/{again.id}/status"
    _, listed, _ = await ask("GET", f"/deploy/project/shop?organizationId={state}")
    assert (listed["data"][0]["sourceHash"], listed["data"][0]["userId"]) == (body["sourceHash"], "user_1")


async def test_a_version_whose_source_is_not_kept_is_refused(ask, new, storage) -> None:
    replaced = await store.create(new(status=DeploymentStatus.COMPLETED))
    status, answer, _ = await ask("POST", f"/deploy/{replaced.id}/rollback")
    assert (status, answer["code"]) == (400, "source-not-found")
    branch = GitSource(url="https://example.com/a/b")
    newest = await store.create(new(status=DeploymentStatus.COMPLETED, source=branch))
    status, answer, _ = await ask("POST", f"/deploy/{newest.id}/rollback")
    assert (status, answer["code"]) == (400, "commit-unknown")
    fetched = await store.create(new(status=DeploymentStatus.COMPLETED, source=branch, fetched_commit="b" * 40))
    status, answer, _ = await ask("POST", f"/deploy/{fetched.id}/rollback")
    assert status == 202
    assert (await store.load(answer["deploymentId"], None)).source == branch.model_copy(update={"commit": "b" * 40})
