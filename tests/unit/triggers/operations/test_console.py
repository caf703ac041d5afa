import json

import pytest

from triggers.operations import console


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("<h1>runs</h1>")
    (tmp_path / "app.js").write_text("run()")
    monkeypatch.setattr(console, "_FOLDER", tmp_path)


async def test_the_page_and_its_assets(ask):
    page = await ask(console.routes, "GET", "/console")
    asset = await ask(console.routes, "GET", "/console/app.js")
    assert (page.mimetype, page.get_body()) == ("text/html", b"<h1>runs</h1>")
    assert (asset.mimetype, asset.get_body()) == ("text/javascript", b"run()")
    assert "default-src 'none'" in asset.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["nothing.js", "..%2f..%2fpyproject.toml", "..%2Fconsole.py"])
async def test_anything_else_is_not_there(ask, path):
    answer = await ask(console.routes, "GET", f"/console/{path}")
    assert (answer.status_code, json.loads(answer.get_body())["code"]) == (404, "not-found")
