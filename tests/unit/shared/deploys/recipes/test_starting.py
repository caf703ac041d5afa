"""How a Python app is found in its source and started."""

import pytest

from shared.platform.errors import TerminalError


@pytest.mark.parametrize(
    "made", ["get_application()", "factory.build_api(settings)", "create_application(debug=False)"]
)
def test_defect_an_app_that_a_function_of_any_name_makes_is_not_found(of, made):
    declared = {"requirements.txt": "fastapi\nuvicorn\n", "app/main.py": f"from x import y\napp = {made}\n"}
    assert of(declared).start[-1] == "app.main:app"


def test_a_name_that_is_read_somewhere_is_no_app(of):
    with pytest.raises(TerminalError, match="not clear how"):
        of({"requirements.txt": "flask", "shop/app.py": 'app = os.environ.get("APP")\n'})


def test_django_in_the_folder_that_startproject_made_is_served_from_the_root(of):
    files = {"requirements.txt": "django\ngunicorn", "mysite/manage.py": "", "mysite/mysite/wsgi.py": ""}
    settings_text = "STORAGES = 'whitenoise.storage.CompressedManifestStaticFilesStorage'"
    found = of({**files, "mysite/mysite/settings.py": settings_text})
    assert found.start[:5] == ("env", "PYTHONPATH=mysite", "python", "-m", "gunicorn")
    assert found.start[-1] == "mysite.wsgi"
    assert found.build == (("python", "mysite/manage.py", "collectstatic", "--noinput"),)
    by_itself = of({**files, "requirements.txt": "django"}).start
    assert by_itself[:3] == ("python", "mysite/manage.py", "runserver")
