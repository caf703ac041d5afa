"""How a Python app is found in its source and started."""

import pytest

from shared.deploys.recipes import PIP
from shared.platform.errors import TerminalError
from tests.unit.shared.deploys.recipes.sources import FLASK

ITSELF = 'if __name__ == "__main__":\n    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))\n'


FASTAPI = "from fastapi import FastAPI\napi: FastAPI = FastAPI(title='x')\n"


@pytest.mark.parametrize(
    ("files", "start"),
    [
        ({"requirements.txt": "Flask==3.1\ngunicorn", "app.py": FLASK}, "-m gunicorn --bind 0.0.0.0:$PORT app:app"),
        (
            {"requirements.txt": "flask\ngunicorn", "app.py": FLASK + ITSELF},
            "-m gunicorn --bind 0.0.0.0:$PORT app:app",
        ),
        (
            {"requirements.txt": "flask", "app.py": FLASK + ITSELF},
            "-m flask --app app:app run --host 0.0.0.0 --port $PORT",
        ),
        ({"requirements.txt": "flask", "app.py": FLASK + ITSELF.replace("127.0.0.1", "0.0.0.0")}, "app.py"),
        (
            {"requirements.txt": "fastapi\nhypercorn", "main.py": "api = FastAPI()\n" + ITSELF},
            "-m hypercorn --bind 0.0.0.0:$PORT main:api",
        ),
        (
            {"requirements.txt": "fastapi", "main.py": "api = FastAPI()\n" + ITSELF},
            "-m uvicorn --host 0.0.0.0 --port $PORT main:api",
        ),
        (
            {
                "requirements.txt": "flask\ngunicorn",
                "run.py": "from shop import app\n" + ITSELF,
                "shop/__init__.py": FLASK,
            },
            "-m gunicorn --bind 0.0.0.0:$PORT shop:app",
        ),
        (
            {
                "requirements.txt": "flask\ngunicorn",
                "run.py": "from shop import create_app\napp = create_app()\n" + ITSELF,
            },
            "-m gunicorn --bind 0.0.0.0:$PORT run:app",
        ),
        ({"requirements.txt": "gunicorn", "app.py": "serve()\n" + ITSELF}, "app.py"),
        ({"requirements.txt": "flask\nwaitress", "app.py": FLASK}, "-m waitress --host=0.0.0.0 --port=$PORT app:app"),
        (
            {"requirements.txt": "django\ndaphne", "manage.py": "", "shop/wsgi.py": "", "shop/asgi.py": ""},
            "-m daphne -b 0.0.0.0 -p $PORT shop.asgi:application",
        ),
        (
            {"requirements.txt": "django\nuvicorn\ngunicorn", "manage.py": "", "shop/wsgi.py": "", "shop/asgi.py": ""},
            "-m gunicorn --bind 0.0.0.0:$PORT shop.wsgi",
        ),
        (
            {"requirements.txt": "fastapi\nhypercorn", "main.py": "api = FastAPI()\n"},
            "-m hypercorn --bind 0.0.0.0:$PORT main:api",
        ),
        (
            {"requirements.txt": "starlette\ngranian[reload]", "main.py": "api = Starlette()\n"},
            "-m granian --interface asgi --host 0.0.0.0 --port $PORT main:api",
        ),
        ({"requirements.txt": "flask", "app.py": FLASK}, "-m flask --app app:app run --host 0.0.0.0 --port $PORT"),
        (
            {"requirements.txt": "fastapi[standard]", "main.py": FASTAPI},
            "-m uvicorn --host 0.0.0.0 --port $PORT main:api",
        ),
        (
            {"requirements.txt": "fastapi", "shop/main.py": FASTAPI},
            "-m uvicorn --host 0.0.0.0 --port $PORT shop.main:api",
        ),
        (
            {"requirements.txt": "django\ngunicorn", "manage.py": "", "shop/wsgi.py": "application = 1"},
            "-m gunicorn --bind 0.0.0.0:$PORT shop.wsgi",
        ),
        (
            {"requirements.txt": "django", "manage.py": "", "shop/wsgi.py": ""},
            "manage.py runserver --noreload 0.0.0.0:$PORT",
        ),
        (
            {"requirements.txt": "flask", "shop/__init__.py": "def create_app(config=None):\n    pass\n"},
            "-m flask --app shop:create_app() run --host 0.0.0.0 --port $PORT",
        ),
    ],
)
def test_a_framework_is_served_by_the_server_that_is_declared(of, files, start):
    assert of(files).start == ("python", *start.split(" "))


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
    asked = "STORAGES = 'whitenoise.storage.CompressedManifestStaticFilesStorage'"
    found = of({**files, "mysite/mysite/settings.py": asked})
    assert found.start[:5] == ("env", "PYTHONPATH=mysite", "python", "-m", "gunicorn")
    assert found.start[-1] == "mysite.wsgi"
    assert found.build == (("python", "mysite/manage.py", "collectstatic", "--noinput"),)
    by_itself = of({**files, "requirements.txt": "django"}).start
    assert by_itself[:3] == ("python", "mysite/manage.py", "runserver")


@pytest.mark.parametrize(
    ("declared", "installed"),
    [("fastapi", True), ("fastapi\nuvicorn[standard]", False), ("fastapi\nhypercorn", False)],
)
def test_an_app_that_declares_no_server_is_given_the_usual_one(of, declared, installed):
    found = of({"requirements.txt": declared, "main.py": "api = FastAPI()\n"})
    assert ((*PIP, "uvicorn") in found.install) is installed
