"""How a source for Python is installed and built."""

import pytest

from shared.deploys.recipes import PIP


@pytest.mark.parametrize("name", ["app.py", "main.py"])
def test_python_installs_what_it_declares_and_starts_its_script(of, name):
    assert of({name: ""}).install == ()
    assert of({"pyproject.toml": "[tool.ruff]"}).install == ()
    found = of({"requirements.txt": "flask"})
    assert (found.install, found.start) == (((*PIP, "-r", "requirements.txt"),), ("python", name))


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"Pipfile": "[packages]\nflask = '*'", "Pipfile.lock": "{}"}, "python -m pipenv install --system --deploy"),
        (
            {"pyproject.toml": "[tool.poetry.dependencies]\nflask = '^3'"},
            "env POETRY_VIRTUALENVS_CREATE=false python -m poetry install --only=main --no-root --no-interaction",
        ),
        (
            {"pyproject.toml": "[project]\nname='x'\ndependencies=['flask>=3', 'httpx']"},
            "python -m pip install flask>=3 httpx",
        ),
        ({"Pipfile": "[packages]\nflask = '*'"}, "python -m pipenv install --system --skip-lock"),
        (
            {
                "pyproject.toml": "[tool.poetry]\npackage-mode = true\n[project]\ndependencies=['flask']",
                "poetry.lock": "",
            },
            "env POETRY_VIRTUALENVS_CREATE=false python -m poetry install --only=main --no-root --no-interaction",
        ),
        ({"pyproject.toml": "[build-system]\nrequires=[]\n[project]\nname='x'"}, "python -m pip install ."),
        ({"setup.py": ""}, "python -m pip install ."),
        # Run from its folder, it is no package; setuptools and hatchling would refuse it.
        (
            {"pyproject.toml": "[build-system]\nrequires=[]\n[project]\ndependencies=['flask']"},
            "python -m pip install flask",
        ),
        (
            {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n[project]\ndependencies=['flask']"},
            "python -m pip install flask",
        ),
        (
            {"pyproject.toml": "[project]\ndependencies=['flask']", "src/shop/__init__.py": ""},
            "python -m pip install .",
        ),
        (
            {"pyproject.toml": "[build-system]\nrequires=[]\n[project]\ndependencies=['a']\nscripts={serve='a:b'}"},
            "python -m pip install .",
        ),
    ],
)
def test_packages_are_installed_as_they_are_declared(of, files, install):
    assert " ".join(of({"app.py": "", **files}).install[-1]) == install


def test_the_files_of_django_are_collected_where_a_manifest_of_them_is_asked_for(of):
    files = {"manage.py": "", "shop/wsgi.py": "", "requirements.txt": "django"}
    assert of({**files, "shop/settings.py": "STATIC_ROOT = 'static'"}).build == ()
    settings_text = "STORAGES = 'whitenoise.storage.CompressedManifestStaticFilesStorage'"
    assert of({**files, "shop/settings.py": settings_text}).build == (
        ("python", "manage.py", "collectstatic", "--noinput"),
    )
    assert of(files, build=("make",)).build == (("make",),)
