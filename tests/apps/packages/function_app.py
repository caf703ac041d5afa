"""Folders without `__init__.py`, as many apps have them, of names that packages of this project have, too."""

import azure.functions as func
from activities.greeting import greet
from local.things import THING
from shared.deep.models import MODEL

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="names")
def names(req: func.HttpRequest) -> func.HttpResponse:
    from shared.late import LATE

    return func.HttpResponse(f"{greet()} {THING} {MODEL} {LATE}")
