import sys

import pytest

from local.host.indexing.loading import AppCode, AppNotLoaded

APP = "import azure.functions as func\nimport helper\napp = func.FunctionApp()\nvalue = helper.value\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "helper.py").write_text("value = 1\n")
    return tmp_path


async def test_code_is_loaded_and_forgotten_again(folder):
    path, code = list(sys.path), AppCode(folder)
    code.load({})
    assert sys.modules["function_app"].value == 1
    (folder / "helper.py").write_text("value = 22\n")
    await code.unload()
    assert "helper" not in sys.modules
    assert sys.path == path
    code.load({})
    assert sys.modules["function_app"].value == 22
    await code.unload()


async def test_modules_of_the_same_name_from_elsewhere_are_set_aside_and_given_back(folder, monkeypatch):
    other = type(sys)("helper")
    monkeypatch.setitem(sys.modules, "helper", other)
    code = AppCode(folder)
    code.load({})
    assert sys.modules["helper"] is not other
    await code.unload()
    assert sys.modules["helper"] is other


async def test_what_is_installed_or_part_of_python_stays_loaded(folder):
    import email.message as standard

    import azure.functions as installed

    for name in ("email", "azure"):
        (folder / name).mkdir()
    code = AppCode(folder)
    code.load({})
    assert sys.modules["email.message"] is standard
    assert sys.modules["azure.functions"] is installed
    await code.unload()
    assert sys.modules["email.message"] is standard
    assert sys.modules["azure.functions"] is installed


async def test_an_app_may_have_a_package_of_the_name_of_the_hosts(folder, host_logs):
    (folder / "local").mkdir()
    (folder / "local" / "__init__.py").write_text("")
    (folder / "local" / "things.py").write_text("value = 3\n")
    (folder / "helper.py").write_text("from local.things import value\n")
    code = AppCode(folder)
    code.load({})
    assert sys.modules["function_app"].value == 3
    await code.unload()
    assert "local.things" not in sys.modules
    assert "local.host.indexing.loading" in sys.modules
    (folder / "local" / "__init__.py").write_text("other = 1\n")
    code.load({})
    assert "__init__.py is not run" in host_logs.text
    await code.unload()
    assert str(folder / "local") not in sys.modules["local"].__path__


async def test_folders_of_the_app_are_not_hidden_by_packages_of_this_project(folder):
    import shared.platform

    (folder / "shared").mkdir()
    (folder / "shared" / "words.py").write_text("value = 7\n")
    (folder / "helper.py").write_text("from shared.words import value\n")
    code = AppCode(folder)
    code.load({})
    assert sys.modules["function_app"].value == 7
    await code.unload()
    assert sys.modules["shared.platform"] is shared.platform


async def test_a_folder_of_the_app_is_forgotten_like_its_modules(folder):
    (folder / "words").mkdir()
    (folder / "words" / "numbers_of_mine.py").write_text("value = 7\n")
    (folder / "helper.py").write_text("from words.numbers_of_mine import value\n")
    code = AppCode(folder)
    code.load({})
    await code.unload()
    assert not {"words", "words.numbers_of_mine"} & sys.modules.keys()


async def test_a_stack_begins_in_the_apps_code_and_ends_with_what_is_wrong(folder):
    (folder / "helper.py").write_text("value = (\n")
    code = AppCode(folder)
    with pytest.raises(AppNotLoaded) as failed:
        code.load({})
    assert failed.value.stack.startswith(f'File "{folder}/function_app.py", line 2')
    assert failed.value.stack.endswith("SyntaxError: '(' was never closed")
    await code.unload()


async def test_a_missing_package_is_named_with_the_command_that_installs_it(folder):
    (folder / "helper.py").write_text("import no_such_package\n")
    (folder / "requirements.txt").write_text("no-such-package\n")
    code = AppCode(folder)
    with pytest.raises(AppNotLoaded, match="No module named 'no_such_package'") as failed:
        code.load({})
    assert f"{sys.executable} -m pip install -r {folder}/requirements.txt" in str(failed.value)
    await code.unload()


async def test_another_script_may_be_named(folder):
    (folder / "other_app.py").write_text("import azure.functions as func\nthe_app = func.FunctionApp()\n")
    code = AppCode(folder)
    assert code.load({"PYTHON_SCRIPT_FILE_NAME": "other_app.py"}) is code.app
    for name in ("sub/other_app.py", "other.app.py", "other_app", "-app.py"):
        with pytest.raises(AppNotLoaded, match="Invalid file name: "):
            code.load({"PYTHON_SCRIPT_FILE_NAME": name})
    await code.unload()


async def test_an_app_of_the_old_model_is_told_apart(tmp_path):
    (tmp_path / "MyFunction").mkdir()
    (tmp_path / "MyFunction" / "function.json").write_text("{}")
    with pytest.raises(
        AppNotLoaded, match=r"function.json files were found \(MyFunction\): only the v2 model runs here"
    ):
        AppCode(tmp_path).load({})


async def test_an_app_that_leaves_at_import_does_not_take_the_host_along(folder):
    (folder / "function_app.py").write_text("raise SystemExit(2)")
    code = AppCode(folder)
    with pytest.raises(AppNotLoaded, match="SystemExit: 2"):
        code.load({})
    await code.unload()
