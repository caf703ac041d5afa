"""Tables: rows in and out, by key, by partition and by filter."""

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def answer(found) -> func.HttpResponse:
    return func.HttpResponse(found, status_code=200 if found is not None else 404, mimetype="application/json")


@app.route(route="put/{table}", methods=["POST"])
@app.table_output(arg_name="rows", table_name="{table}", connection="Storage")
def put(req: func.HttpRequest, rows: func.Out[str]) -> func.HttpResponse:
    rows.set(req.get_body().decode())
    return func.HttpResponse(status_code=201)


@app.route(route="put-keyed/{table}/{partition}/{row}", methods=["POST"], binding_arg_name="resp")
@app.table_output(
    arg_name="$return", table_name="{table}", partition_key="{partition}", row_key="{row}", connection="Storage"
)
def put_keyed(req: func.HttpRequest, resp: func.Out[func.HttpResponse]):
    resp.set(func.HttpResponse(status_code=201))
    return json.loads(req.get_body())


@app.route(route="row/{table}/{partition}/{row}", methods=["GET"])
@app.table_input(
    arg_name="found",
    table_name="{table}",
    partition_key="{partition}",
    filter="RowKey eq '{row}'",
    connection="Storage",
)
def row(req: func.HttpRequest, found) -> func.HttpResponse:
    return answer(found)


@app.route(route="keyed/{table}/{partition}/{row}", methods=["GET"])
@app.table_input(
    arg_name="found", table_name="{table}", partition_key="{partition}", row_key="{row}", connection="Storage"
)
def keyed(req: func.HttpRequest, found) -> func.HttpResponse:
    return answer(found)


@app.route(route="partition/{table}/{partition}", methods=["GET"])
@app.table_input(arg_name="found", table_name="{table}", partition_key="{partition}", take=2, connection="Storage")
def partition(req: func.HttpRequest, found: str) -> func.HttpResponse:
    return answer(found)


@app.route(route="named/{table}/{name}/{least}", methods=["GET"])
@app.table_input(
    arg_name="found", table_name="{table}", filter="name eq '{name}' and size ge {least}", connection="Storage"
)
def named(req: func.HttpRequest, found: str) -> func.HttpResponse:
    return answer(found)


@app.route(route="all/{table}", methods=["GET"])
@app.generic_input_binding(arg_name="found", type="table", table_name="{table}", connection="Storage")
def everything(req: func.HttpRequest, found: str) -> func.HttpResponse:
    return answer(found)
