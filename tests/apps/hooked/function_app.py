"""A worker extension, as packages for monitoring register one, and functions that it sees."""

import azure.functions as func

seen: list[str] = []


class Monitor(func.AppExtensionBase):
    @classmethod
    def init(cls):
        seen.append("init")

    @classmethod
    def post_function_load_app_level(cls, function_name, function_directory, *args, **kwargs):
        seen.append(f"loaded {function_name}")

    @classmethod
    def pre_invocation_app_level(cls, logger, context, func_args, *args, **kwargs):
        seen.append(f"before {context.function_name} {','.join(func_args)}")
        if context.function_name == "fails_before":
            raise RuntimeError("the extension fails")

    @classmethod
    def post_invocation_app_level(cls, logger, context, func_args, func_ret, *args, **kwargs):
        seen.append(f"after {context.function_name} {func_ret.status_code}")


app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def answer() -> func.HttpResponse:
    return func.HttpResponse("\n".join(seen), status_code=201)


@app.route(route="plain")
def plain(req: func.HttpRequest) -> func.HttpResponse:
    return answer()


@app.route(route="waits")
async def waits(req: func.HttpRequest) -> func.HttpResponse:
    return answer()


@app.route(route="fails-before")
def fails_before(req: func.HttpRequest) -> func.HttpResponse:
    return answer()


@app.route(route="raises")
def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("after is not run")
