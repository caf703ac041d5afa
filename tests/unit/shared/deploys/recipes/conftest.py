"""Recipes of sources that tests write."""

import pytest

from shared.deploys.recipes import recipe_of


@pytest.fixture
def of(tmp_path):
    """The recipe of a source with these files: `of({"app.py": ""}, build=(...), start=(...))`."""

    def make(files, **commands):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return recipe_of(tmp_path, **commands)

    return make
