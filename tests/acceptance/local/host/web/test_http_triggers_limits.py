"""Settings of host.json that bound what the host takes at once."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.host.testing import InProcessHost


@pytest.fixture
def start(apps, tmp_path):
    def start(app, host_json, **options):
        shutil.copytree(apps / app, tmp_path / app)
        (tmp_path / app / "host.json").write_text(host_json)
        return InProcessHost(tmp_path / app, **options)

    return start


def ask(app, path, times):
    with ThreadPoolExecutor(times) as threads:
        return [one.result() for one in [threads.submit(app.request, "GET", path) for _ in range(times)]]


def test_requests_over_the_outstanding_ones_are_told_to_come_back(start):
    with start("worker", '{"version": "2.0", "extensions": {"http": {"maxOutstandingRequests": 2}}}') as app:
        answers = ask(app, "/api/sleep/0.5", 4)
        assert sorted(one.status for one in answers) == [200, 200, 429, 429]
        assert {one.headers["x-function-scaleout"] for one in answers if one.status == 429} == {"1"}
        assert app.request("GET", "/admin/host/status").status == 200


def test_concurrent_requests_wait_for_each_other(start):
    with start("worker", '{"version": "2.0", "extensions": {"http": {"maxConcurrentRequests": 1}}}') as app:
        assert [one.status for one in ask(app, "/api/meet", 1)] == [409]
        assert {one.status for one in ask(app, "/api/sleep/0.05", 3)} == {200}
        runs = sorted((one.started, one.duration_ms) for one in app.invocations if one.function == "sleep_async")
        ends = [began.timestamp() + milliseconds / 1000 for began, milliseconds in runs]
        assert all(end <= began.timestamp() + 0.005 for end, (began, _) in zip(ends, runs[1:], strict=False))


def test_a_body_over_the_limit_is_413(apps, monkeypatch):
    monkeypatch.setenv("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000")
    with InProcessHost(apps / "http") as app:
        assert app.request("POST", "/api/bytes", b"x" * 1001).status == 413
        assert app.request("POST", "/api/bytes", b"x" * 1000).status == 200


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}', "extensions.queues.batchSize"),
        (
            '{"version": "2.0", "extensions": {"queues": {"messageEncoding": "utf7"}}}',
            "extensions.queues.messageEncoding",
        ),
        (
            '{"version": "2.0", "extensions": {"http": {"maxOutstandingRequests": "x"}}}',
            "extensions.http.maxOutstanding",
        ),
    ],
)
def test_a_value_out_of_range_names_the_setting(start, text, named):
    settings = {"Storage": "UseDevelopmentStorage=true", "STAGE": "x"}
    with pytest.raises(Exception, match=named), start("storage", text, settings=settings):
        pass


def test_a_prefix_of_another_name(start):
    with start("http", '{"version": "2.0", "extensions": {"http": {"routePrefix": "v1/shop"}}}') as app:
        assert app.request("GET", "/v1/shop/items/5").json()["route"] == {"id": "5"}
        assert app.request("GET", "/api/items/5").status == 404
