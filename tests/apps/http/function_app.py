"""HTTP triggers: routes, constraints, methods, bodies, answers and levels."""

import json
import logging

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
late = func.Blueprint()


def echo(req: func.HttpRequest) -> dict:
    return {
        "method": req.method,
        "url": req.url,
        "route": dict(req.route_params),
        "params": dict(req.params),
        "headers": {name: value for name, value in req.headers.items() if name.startswith("x-")},
        "length": len(req.get_body()),
    }


def answer(value, **more) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), mimetype="application/json", **more)


@app.route(route="items/{id:int?}", methods=["GET", "POST"])
def items(req: func.HttpRequest) -> func.HttpResponse:
    return answer(echo(req))


@app.route(route="files/{*path}", methods=["GET", "PUT", "HEAD"])
def files(req: func.HttpRequest) -> func.HttpResponse:
    return answer(echo(req), status_code=201, headers={"X-Files": "yes"})


@app.route(route="sizes/{size:range(1,9)=5}")
def sizes(req: func.HttpRequest) -> func.HttpResponse:
    return answer(echo(req))


@app.route(route="{anything}/by-name")
def a_first(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("a_first")


@app.route(route="exact/by-name")
def b_second(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("b_second")


@app.route(route="only-post", methods=["POST"])
def only_post(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("posted")


@app.route(route="json", methods=["POST"])
def read_json(req: func.HttpRequest) -> func.HttpResponse:
    try:
        return answer(req.get_json())
    except ValueError as error:
        return func.HttpResponse(str(error), status_code=400)


@app.route(route="form", methods=["POST"])
def form(req: func.HttpRequest) -> func.HttpResponse:
    files = {name: [file.filename, len(file.read())] for name, file in req.files.items()}
    return answer({"form": dict(req.form), "files": files})


@app.route(route="bytes", methods=["POST"])
def raw(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body()[::-1], mimetype="application/octet-stream")


@app.route(route="cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("ok")
    response.headers.add("Set-Cookie", "a=1|2; HttpOnly; SameSite=Lax")
    response.headers.add("Set-Cookie", "b=2; Path=/x; Secure; Max-Age=60")
    return response


@app.route(route="strings/{kind}")
def strings(req: func.HttpRequest) -> str:
    return {
        "plain": "just text",
        "object": '{"a":[1,2]}',
        "true": "true",
        "null": "null",
        "response": '{"body": "made", "status": 418, "headers": {"X-Tea": "pot"}}',
    }[req.route_params["kind"]]


@app.route(route="wrong/{kind}")
def wrong(req: func.HttpRequest):
    return {"none": None, "dict": {"a": 1}, "bytes": b"x"}[req.route_params["kind"]]


@app.route(route="raises")
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("about to fail")
    raise LookupError("no such thing")


@app.route(route="leaves")
def leaves(req: func.HttpRequest) -> func.HttpResponse:
    raise SystemExit(3)


@app.generic_trigger(arg_name="req", type="httpTrigger", route="out", authLevel="anonymous", methods=["GET"])
@app.generic_output_binding(arg_name="res", type="http")
def out(req: func.HttpRequest, res: func.Out[func.HttpResponse]) -> None:
    if "set" in req.params:
        res.set(func.HttpResponse("by out", status_code=202))


@app.route(route="level/function", auth_level=func.AuthLevel.FUNCTION)
def level_function(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("function")


@app.route(route="level/admin", auth_level=func.AuthLevel.ADMIN)
def level_admin(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("admin")


@app.route(route="off/anonymous")
def off_anonymous(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("still here")


@app.route(route="off/function", auth_level=func.AuthLevel.FUNCTION)
def off_function(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("still here")


@late.route(route="blueprint", auth_level=func.AuthLevel.ANONYMOUS)
def from_blueprint(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("blueprint")


app.register_functions(late)
