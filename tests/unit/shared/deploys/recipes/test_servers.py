"""Which server an app of Python is served by."""

import pytest

from shared.deploys.recipes import PIP
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
    ("declared", "installed"),
    [("fastapi", True), ("fastapi\nuvicorn[standard]", False), ("fastapi\nhypercorn", False)],
)
def test_an_app_that_declares_no_server_is_given_the_usual_one(of, declared, installed):
    found = of({"requirements.txt": declared, "main.py": "api = FastAPI()\n"})
    assert ((*PIP, "uvicorn") in found.install) is installed
