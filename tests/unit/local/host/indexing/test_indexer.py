"""What of a function's description is the worker's, not the reader's first guess."""

from local.host.indexing.indexer import Indexer
from local.host.indexing.loading import AppCode

WRAPPER = """
import functools

def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
"""
APP = """
import azure.functions as func
from helpers_of_test.wrapping import logged

app = func.FunctionApp()

@app.route(route="a")
@logged
def wrapped(req):
    return ""

@app.route(route="b")
def plain(req):
    return ""
"""


async def test_the_folder_is_the_one_of_the_code_that_is_called_and_the_file_the_apps(tmp_path):
    (tmp_path / "helpers_of_test").mkdir()
    (tmp_path / "helpers_of_test" / "wrapping.py").write_text(WRAPPER)
    (tmp_path / "function_app.py").write_text(APP)
    code = AppCode(tmp_path)
    table = Indexer(code, {}).index()
    await code.unload()
    assert table.failure is None
    assert table.functions["wrapped"].directory == tmp_path / "helpers_of_test"
    assert table.functions["plain"].directory == tmp_path
    assert {one.script_file for one in table.functions.values()} == {"function_app.py"}
