import asyncio
import base64
import hashlib

import azure.functions as func
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.platform.errors import NotFound
from shared.platform.http.pages import page


def request(**headers):
    return func.HttpRequest("GET", "/console", headers=headers, body=b"")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    inside = tmp_path / "console"
    (inside / "js").mkdir(parents=True)
    (inside / "index.html").write_text(
        "<style>a{}</style><script>run()</script><script src='/console/js/a.js'></script>"
    )
    (inside / "js" / "a.js").write_text("1")
    (inside / ".hidden.html").write_text("x")
    (inside / "notes.py").write_text("x")
    (inside / "out.json").symlink_to(tmp_path / "secret.json")
    return inside


async def test_a_page_may_run_only_its_own_code(folder):
    answer = await page(folder, "index.html", request())
    policy = answer.headers["Content-Security-Policy"]
    own = base64.b64encode(hashlib.sha256(b"run()").digest()).decode()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert f"script-src 'self' 'sha256-{own}';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_browser_that_holds_this_version_is_sent_nothing(folder):
    etag = (await page(folder, "js/a.js", request())).headers["ETag"]
    again = await page(folder, "js/a.js", request(**{"If-None-Match": f'"other", {etag}'}))
    assert (again.status_code, again.get_body(), again.headers["ETag"]) == (304, b"", etag)


async def test_a_changed_file_is_read_again(folder):
    before = await page(folder, "js/a.js", request())
    (folder / "js" / "a.js").write_text("22")
    after = await page(folder, "js/a.js", request(**{"If-None-Match": before.headers["ETag"]}))
    assert (after.status_code, after.get_body()) == (200, b"22")


@pytest.mark.parametrize(
    "name",
    ["../secret.json", "js/../../secret.json", "/etc/passwd", "out.json", ".hidden.html", "notes.py", "js", "", "no.js",
     "js/%2e%2e/%2e%2e/secret.json", "..", "a\0.js"],
)  # fmt: skip
async def test_only_files_of_the_folder_that_are_for_browsers(folder, name):
    with pytest.raises(NotFound):
        await page(folder, name, request())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "js", "secret.json", "a.js", "", "index.html", "\\"])).map("/".join))
def test_no_path_leaves_the_folder(folder, name):
    try:
        answer = asyncio.run(page(folder, name, request()))
    except NotFound:
        return
    assert answer.get_body() != b"{}"
