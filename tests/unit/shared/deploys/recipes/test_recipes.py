"""What is run to build a source and to start the app, told by its files and the deployment's commands."""

import json

import pytest

from shared.deploys.recipes import PIP, recipe_of
from shared.deploys.recipes.files import rewrite_wide
from shared.platform.errors import TerminalError

NODE = json.dumps({"scripts": {"start": "node .", "build": "vite"}})


@pytest.fixture
def of(tmp_path):
    """The recipe of a source with these files: `of({"app.py": ""}, build=(...), start=(...))`."""

    def make(files, **commands):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return recipe_of(tmp_path, **commands)

    return make


def test_node_installs_builds_and_starts(of):
    found = of({"package.json": NODE})
    assert (found.runtime, found.install, found.build, found.start) == (
        "node",
        (("npm", "install", "--include=dev"),),
        (("npm", "run", "build"),),
        ("npm", "start"),
    )
    assert of({"package-lock.json": "{}"}).install == (("npm", "ci", "--include=dev"),)


@pytest.mark.parametrize("name", ["app.py", "main.py"])
def test_python_installs_what_it_declares_and_starts_its_script(of, name):
    assert of({name: ""}).install == ()
    assert of({"pyproject.toml": "[tool.ruff]"}).install == ()
    found = of({"requirements.txt": "flask"})
    assert (found.install, found.start) == (((*PIP, "-r", "requirements.txt"),), ("python", name))


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"package.json": NODE}, ("npm", "install", "--include=dev")),
        ({"requirements.txt": ""}, (*PIP, "-r", "requirements.txt")),
    ],
)
def test_the_build_command_comes_after_the_dependencies_and_in_place_of_the_usual_build(of, files, install):
    found = of(files, build=("make",), start=("serve", "it"))
    assert (found.install, found.build, found.start) == ((install,), (("make",),), ("serve", "it"))


def test_a_site_of_files_has_no_start_of_its_own(of):
    found = of({"index.html": ""})
    assert (found.start, found.site) == ((), ".")


@pytest.mark.parametrize(("program", "runtime"), [("node", "node"), ("npm", "node"), ("python3", "python")])
def test_a_start_command_tells_what_runs_a_source_that_does_not(of, program, runtime):
    assert of({"server": "", "index.html": ""}, start=(program, "server")).runtime == runtime


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README.md": ""}, "unknown-kind"),
        ({"package.json": "{}"}, "no-start-command"),
        ({"package.json": "not json"}, "unreadable-file"),
        ({"package.json": "[]"}, "unreadable-file"),
        ({"package.json": '{"a":' * 100_000 + "1" + "}" * 100_000}, "unreadable-file"),
        ({"package.json": '{"scripts": 3}'}, "no-start-command"),
        ({"requirements.txt": "", "index.html": ""}, "no-start-command"),
    ],
)
def test_a_source_that_does_not_tell_how_it_runs_is_refused_with_a_remedy(of, files, code):
    with pytest.raises(TerminalError) as refusal:
        of(files)
    assert refusal.value.code == code
    assert refusal.value.remedy


def package(**fields):
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("files", "install", "build"),
    [
        ({"pnpm-lock.yaml": ""}, "pnpm@9.15.9 install --prod=false --frozen-lockfile", "pnpm@9.15.9 run build"),
        ({"yarn.lock": "# v1"}, "yarn@1.22.22 install --production=false --frozen-lockfile", "yarn@1.22.22 run build"),
        (
            {"yarn.lock": "__metadata:"},
            "@yarnpkg/cli-dist@4.12.0 install --immutable",
            "@yarnpkg/cli-dist@4.12.0 run build",
        ),
        ({"bun.lockb": ""}, "bun@1.3.3 install --frozen-lockfile", "bun@1.3.3 run build"),
        ({"bun.lock": "{}"}, "bun@1.3.3 install --frozen-lockfile", "bun@1.3.3 run build"),
    ],
)
def test_the_package_manager_of_the_lock_file_is_used(of, files, install, build):
    found = of({"package.json": package(scripts={"build": "tsc", "start": "node ."}), **files})
    assert found.start == ("npm", "start")
    modern = "env YARN_NODE_LINKER=node-modules YARN_IMMUTABLE_PATTERNS=none " if "cli-dist" in install else ""
    assert [" ".join(words) for words in (*found.install, *found.build)] == [
        f"{modern}npx --yes {install}",
        f"{modern}npx --yes {build}",
    ]


def test_the_package_manager_that_is_named_comes_first(of):
    found = of(
        {"package.json": package(packageManager="pnpm@8.15.4+sha", scripts={"start": "node ."}), "yarn.lock": ""}
    )
    assert found.install == (("npx", "--yes", "pnpm@8.15.4", "install", "--prod=false"),)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_package_json_is_read_as_windows_writes_it(of, encoding):
    assert of({"package.json": NODE.encode(encoding)}).start == ("npm", "start")


@pytest.mark.parametrize(
    ("scripts", "known", "site"),
    [
        ({"dev": "vite", "build": "tsc && vite build", "preview": "vite preview"}, {"vite": "7"}, "dist"),
        ({"start": "vite", "build": "vite build"}, {"vite": "7"}, "dist"),
        ({"start": "react-scripts start", "build": "react-scripts build"}, {"react-scripts": "5"}, "build"),
        ({"serve": "vue-cli-service serve", "build": "vue-cli-service build"}, {"@vue/cli-service": "5"}, "dist"),
        ({"start": "node server.js", "build": "vite build"}, {"vite": "7"}, None),
        ({"dev": "astro dev", "build": "astro build", "preview": "astro preview"}, {"astro": "5"}, "dist"),
        ({"start": "astro dev", "build": "astro check && astro build"}, {"astro": "4"}, "dist"),
        ({"start": "astro dev", "build": "astro build"}, {"astro": "5", "@astrojs/node": "9"}, None),
        ({"start": "docusaurus start", "build": "docusaurus build"}, {"@docusaurus/core": "3"}, "build"),
        ({"start": "eleventy --serve", "build": "eleventy"}, {"@11ty/eleventy": "3"}, "_site"),
        ({"start": "npx @11ty/eleventy --serve", "build": "npx @11ty/eleventy"}, {"@11ty/eleventy": "3"}, "_site"),
        ({"start": "gatsby develop", "build": "gatsby build"}, {"gatsby": "5"}, "public"),
        ({"start": "npm run develop", "develop": "gatsby develop", "build": "gatsby build"}, {"gatsby": "5"}, "public"),
        ({"start": "ng serve", "build": "ng build"}, {"@angular/cli": "20"}, "dist"),
        ({"dev": "vite dev", "build": "vite build"}, {"vite": "7", "@sveltejs/adapter-static": "3"}, "build"),
    ],
)
def test_what_builds_a_site_is_served_as_files(of, scripts, known, site):
    found = of({"package.json": package(scripts=scripts, devDependencies=known)})
    assert found.site == site
    assert found.runtime == ("python" if site else "node")
    assert len(found.assets) == (2 if site else 0)


def test_the_folder_that_the_configuration_of_vite_names_is_served(of):
    files = {"vite.config.ts": "export default { build: { outDir: './public-build/' } }"}
    found = of({"package.json": package(scripts={"build": "vite build"}, devDependencies={"vite": "7"}), **files})
    assert found.site == "public-build"


@pytest.mark.parametrize(
    ("build", "site"),
    [
        ({"builder": "@angular/build:application", "options": {}}, "dist/shop/browser"),
        ({"builder": "@angular-devkit/build-angular:application", "options": {"outputPath": "out"}}, "out/browser"),
        ({"builder": "@angular-devkit/build-angular:browser", "options": {"outputPath": "dist/old"}}, "dist/old"),
        ({"builder": "x:application", "options": {"outputPath": {"base": "www", "browser": ""}}}, "www"),
        ({"builder": "x:application", "options": {"outputPath": "../../etc"}}, "dist"),
    ],
)
def test_the_folder_that_the_configuration_of_angular_names_is_served(of, build, site):
    scripts = {"start": "ng serve", "build": "ng build"}
    workspace = json.dumps({"projects": {"shop": {"architect": {"build": build}}}})
    found = of(
        {"package.json": package(scripts=scripts, devDependencies={"@angular/cli": "20"}), "angular.json": workspace}
    )
    assert (found.site, found.runtime) == (site, "python")


def test_node_without_a_start_script_starts_its_main_file(of):
    assert of({"package.json": package(main="./src/web.js"), "src/web.js": ""}).start == ("node", "src/web.js")
    assert of({"package.json": "{}", "server.js": ""}).start == ("node", "server.js")


FLASK = "from flask import Flask\napp = Flask(__name__)\n"
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


def test_a_procfile_says_how_the_app_is_started(of):
    found = of(
        {"requirements.txt": "flask", "app.py": FLASK, "Procfile": "release: x\nweb: gunicorn app:app -b :${PORT}\n"}
    )
    assert found.start == ("gunicorn", "app:app", "-b", ":$PORT")
    assert of({}, start=("python", "app.py")).start == ("python", "app.py")


def test_a_procfile_that_needs_a_shell_is_refused_with_a_remedy(of):
    with pytest.raises(TerminalError, match="'&&' is for a shell") as refused:
        of({"app.py": "", "Procfile": "web: python manage.py migrate && gunicorn app\n"})
    assert refused.value.code == "shell-command"
    assert "send startCommand: gunicorn app (" in str(refused.value.remedy)


@pytest.mark.parametrize(
    "made", ["get_application()", "factory.build_api(settings)", "create_application(debug=False)"]
)
def test_defect_an_app_that_a_function_of_any_name_makes_is_not_found(of, made):
    declared = {"requirements.txt": "fastapi\nuvicorn\n", "app/main.py": f"from x import y\napp = {made}\n"}
    assert of(declared).start[-1] == "app.main:app"


def test_a_name_that_is_read_somewhere_is_no_app(of):
    with pytest.raises(TerminalError, match="not clear how"):
        of({"requirements.txt": "flask", "shop/app.py": 'app = os.environ.get("APP")\n'})


def test_a_site_with_tools_of_node_is_served_as_without_them(of):
    tools = package(scripts={"format": "prettier -w ."}, devDependencies={"prettier": "3"})
    found = of({"package.json": tools, "index.html": "<p>"})
    assert (found.runtime, found.site, found.install, found.assets, found.start) == ("python", ".", (), (), ())
    started = of({"package.json": tools, "index.html": "<p>"}, start=("npx", "serve"))
    assert (started.runtime, started.site, started.start) == ("node", None, ("npx", "serve"))


def test_django_in_the_folder_that_startproject_made_is_served_from_the_root(of):
    files = {"requirements.txt": "django\ngunicorn", "mysite/manage.py": "", "mysite/mysite/wsgi.py": ""}
    asked = "STORAGES = 'whitenoise.storage.CompressedManifestStaticFilesStorage'"
    found = of({**files, "mysite/mysite/settings.py": asked})
    assert found.start[:5] == ("env", "PYTHONPATH=mysite", "python", "-m", "gunicorn")
    assert found.start[-1] == "mysite.wsgi"
    assert found.build == (("python", "mysite/manage.py", "collectstatic", "--noinput"),)
    by_itself = of({**files, "requirements.txt": "django"}).start
    assert by_itself[:3] == ("python", "mysite/manage.py", "runserver")


def test_a_python_app_with_assets_of_node_has_both(of):
    node = package(scripts={"build": "tailwindcss -o app.css"}, devDependencies={"tailwindcss": "4"})
    found = of({"package.json": node, "requirements.txt": "flask\ngunicorn", "app.py": FLASK})
    assert (found.runtime, len(found.assets), found.install) == ("python", 2, ((*PIP, "-r", "requirements.txt"),))
    assert found.start[2] == "gunicorn"


def test_versions_that_are_not_used_are_said(of):
    notes = of({"package.json": package(engines={"node": "18.x"}, scripts={"start": "node ."})}).notes
    said = "The source asks for Node 18.x, which is not there (20, 22, 24); it is built and run by Node 20."
    assert notes == (said,)
    assert of({"package.json": package(engines={"node": ">=18"}, scripts={"start": "node ."})}).notes == ()


def test_the_files_of_django_are_collected_where_a_manifest_of_them_is_asked_for(of):
    files = {"manage.py": "", "shop/wsgi.py": "", "requirements.txt": "django"}
    assert of({**files, "shop/settings.py": "STATIC_ROOT = 'static'"}).build == ()
    asked = "STORAGES = 'whitenoise.storage.CompressedManifestStaticFilesStorage'"
    assert of({**files, "shop/settings.py": asked}).build == (("python", "manage.py", "collectstatic", "--noinput"),)
    assert of(files, build=("make",)).build == (("make",),)


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


@pytest.mark.parametrize(
    ("command", "build", "start"),
    [
        ("yarn start", "npx --yes yarn@1.22.22 start", "npm run start"),
        ("pnpm run start --port 1", "npx --yes pnpm@9.1.1 run start --port 1", "npm run start -- --port 1"),
        ("env NODE_ENV=production yarn start", "env NODE_ENV=production npx --yes yarn@1.22.22 start", None),
        ("bun server.ts", "npx --yes bun@1.3.3 server.ts", "npx --yes bun@1.3.3 server.ts"),
        ("next start", "next start", "next start"),
        ("yarn", "npx --yes yarn@1.22.22", "npx --yes yarn@1.22.22"),
    ],
)
def test_defect_a_command_of_a_package_manager_that_no_image_has_is_not_found(of, command, build, start):
    files = {"package.json": package(scripts={"start": "node ."}, packageManager="pnpm@9.1.1"), "yarn.lock": "# v1"}
    words = tuple(command.split())
    found = of(files, build=words, start=words)
    assert " ".join(found.build[0]) == build
    assert " ".join(found.start) == (start or "env NODE_ENV=production npm run start")


@pytest.mark.parametrize(
    ("declared", "installed"),
    [("fastapi", True), ("fastapi\nuvicorn[standard]", False), ("fastapi\nhypercorn", False)],
)
def test_an_app_that_declares_no_server_is_given_the_usual_one(of, declared, installed):
    found = of({"requirements.txt": declared, "main.py": "api = FastAPI()\n"})
    assert ((*PIP, "uvicorn") in found.install) is installed
