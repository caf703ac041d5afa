"""The command of the catalog: a file that cannot be used is one line with the file and the remedy."""

import subprocess
import sys

import pytest

STORAGE = "DefaultEndpointsProtocol=http;AccountName=one;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/one"


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_a_damaged_file_is_named_with_the_remedy_and_left_as_it_is(tmp_path, content):
    file = tmp_path / "catalog.db"
    file.write_bytes(content)
    command = [sys.executable, "-m", "local.iceberg", "--port", "0", "--data", str(tmp_path), "--storage", STORAGE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"The catalog {file} is damaged: ")
    assert ended.stderr.count("\n") == 1
    assert file.read_bytes() == content
