"""How the files are read that declare a source."""

import pytest

from shared.deploys.recipes.files import rewrite_wide
from shared.platform.errors import TerminalError
from tests.unit.shared.deploys.recipes.sources import NODE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_package_json_is_read_as_windows_writes_it(of, encoding):
    assert of({"package.json": NODE.encode(encoding)}).start == ("npm", "start")


@pytest.mark.parametrize(
    ("name", "text"),
    [("package.json", "{broken"), ("package.json", "[]"), ("pyproject.toml", "[project"), ("Pipfile", "[")],
)
def test_a_damaged_file_is_named(of, name, text):
    with pytest.raises(TerminalError, match=name) as refused:
        of({name: text, "app.py": ""})
    assert refused.value.code == "unreadable-file"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_file_in_utf_16_is_written_as_npm_reads_it(tmp_path, encoding):
    path = tmp_path / "package.json"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path.write_bytes(mark + NODE.encode(encoding))
    (tmp_path / "requirements.txt").write_text("flask")
    rewrite_wide(tmp_path)
    assert path.read_bytes() == NODE.encode()
    assert (tmp_path / "requirements.txt").read_text() == "flask"
