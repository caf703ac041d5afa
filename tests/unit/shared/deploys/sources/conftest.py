"""Archives that are unpacked."""

from pathlib import Path

import pytest

from shared.deploys.sources.archives import LIMITS, Limits, unpack
from shared.platform.errors import InvalidInput


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """Unpack bytes, and give the folder; a refusal must leave nothing at all."""

    def run(data: bytes, limits: Limits = LIMITS) -> Path:
        archive, folder = tmp_path / "source", tmp_path / "into" / "folder"
        archive.write_bytes(data)
        monkeypatch.setattr("shared.deploys.sources.archives.LIMITS", limits)
        before = {path for path in tmp_path.rglob("*") if path != folder.parent}
        try:
            unpack(archive, folder)
        except InvalidInput:
            assert {path for path in tmp_path.rglob("*") if path != folder.parent} == before
            raise
        return folder

    return run
