"""An app that configures logging for itself, and with that switches off every logger that there was."""

import logging.config

import azure.functions as func

logging.config.dictConfig(
    {
        "version": 1,
        "formatters": {"own": {"format": "OWN %(message)s"}},
        "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
        "root": {"level": "WARNING", "handlers": ["own"]},
    }
)
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="fails")
def fails(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").warning("about to fail")
    raise ValueError("still seen")


@app.route(route="silences")
def silences(req: func.HttpRequest) -> func.HttpResponse:
    logging.config.dictConfig({"version": 1})
    logging.disable(logging.CRITICAL)
    logging.getLogger().handlers.clear()
    return func.HttpResponse("silent")
