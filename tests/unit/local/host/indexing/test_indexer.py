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


UNSUPPORTED = """
import azure.functions as func

app = func.FunctionApp()

@app.route(route="a")
def runs(req):
    return ""

@app.route(route="b")
@app.event_grid_output(arg_name="event", topic_endpoint_uri="TOPIC", topic_key_setting="TOPIC_KEY")
def grid(req, event: func.Out[func.EventGridOutputEvent]):
    return ""

@app.route(route="c")
@app.event_hub_output(arg_name="event", connection="HUB", event_hub_name="hub")
@app.generic_input_binding(arg_name="rows", type="sql", CommandText="select 1", ConnectionStringSetting="SQL")
def hub(req, event: func.Out[str], rows):
    return ""

@app.route(route="d")
@app.event_grid_output(arg_name="event", topic_endpoint_uri="TOPIC", topic_key_setting="TOPIC_KEY")
def switched_off(req, event: func.Out[func.EventGridOutputEvent]):
    return ""
"""


async def test_a_function_with_a_binding_that_is_not_here_is_named_with_it_and_the_others_run(tmp_path):
    (tmp_path / "function_app.py").write_text(UNSUPPORTED)
    code = AppCode(tmp_path)
    table = Indexer(code, {"AzureWebJobs.switched_off.Disabled": "true"}).index()
    await code.unload()
    assert table.failure is None
    rest = "which this host does not have. The other functions run."
    assert {one.name: one.reason for one in table.errors} == {
        "grid": f"It has the binding 'event' of type eventGrid, {rest}",
        "hub": f"It has the binding 'rows' of type sql and the binding 'event' of type eventHub, {rest}",
    }
    assert {name: one.disabled for name, one in table.functions.items()} == {"runs": False, "switched_off": True}
