"""The server of a site's files."""

import http.client
import subprocess
import sys
import time

import pytest

from local.processes import free_port
from shared.deploys.recipes import Recipe
from shared.deploys.recipes.plan import add_server, start_of


@pytest.fixture
def site(tmp_path):
    """A site that is served; asks for a path and gives the status, the type and the text."""
    for name, text in {
        "index.html": "the index",
        "about.html": "about",
        ".env": "SECRET=1",
        ".git/config": "secret",
        ".well-known/security.txt": "mail us",
        "assets/app.js": "run()",
        "docs/index.html": "the docs",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path.parent / "outside.txt").write_text("outside")
    found = Recipe("python", site=".")
    add_server(tmp_path, found)
    port = free_port()
    words = [word.replace("$PORT", str(port)) for word in start_of(found, "127.0.0.1")[1:]]
    process = subprocess.Popen([sys.executable, *words], cwd=tmp_path, stderr=subprocess.DEVNULL)

    def ask(path, method="GET"):
        while process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            try:
                connection.request(method, path)
            except ConnectionRefusedError:
                time.sleep(0.05)
                continue
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read().decode()
        raise AssertionError(f"The server has ended with {process.returncode}.")

    yield ask
    process.kill()
    process.wait()


def test_a_site_serves_its_files_and_its_index_for_the_paths_of_an_app(site):
    assert site("/")[::2] == (200, "the index")
    assert site("/assets/app.js") == (200, "text/javascript", "run()")
    assert site("/about")[::2] == (200, "about")
    assert site("/docs/")[::2] == (200, "the docs")
    assert site("/docs")[0] == 301
    assert site("/customers/7?tab=2")[::2] == (200, "the index")
    assert site("/assets/app.js", "HEAD")[::2] == (200, "")
    assert site("/.well-known/security.txt")[::2] == (200, "mail us")
    assert site("/missing.js")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/.git/",
        "/.manifold/site.py",
        "/%2e%65nv",
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/assets/../.env",
        "/assets/%2e%2e/.env",
        "//.env",
    ],
)
def test_a_site_publishes_neither_hidden_files_nor_what_lies_outside(site, path):
    status, _, text = site(path)
    assert ("SECRET" in text, "secret" in text, "outside" in text, "import" in text) == (False,) * 4
    assert status == 404 or text == "the index"


def test_a_site_does_not_list_its_folders(site):
    status, _, text = site("/assets/")
    assert "app.js" not in text
    assert (status, text) == (200, "the index")


@pytest.mark.parametrize("path", ["/a%00b", "/" + "a" * 300, "/" + "a" * 3000 + "/b"])
def test_what_no_file_can_be_named_is_not_found(site, path):
    assert site(path)[0] == 404
