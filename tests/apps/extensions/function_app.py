"""Types of an azurefunctions-extensions package: clients of the storage SDK."""

import logging

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="plain")
def plain(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("plain")


@app.route(route="names")
@app.blob_input(arg_name="container", path="clients", connection="Storage")
def names(req: func.HttpRequest, container: blob.ContainerClient) -> func.HttpResponse:
    return func.HttpResponse(",".join(one.name for one in container.list_blobs()))


@app.route(route="which/{name}")
@app.blob_input(arg_name="one", path="clients/{name}", connection="Storage")
@app.blob_input(arg_name="two", path="clients/{name}", connection="Storage")
def which(req: func.HttpRequest, one: blob.BlobClient, two: blob.BlobClient) -> func.HttpResponse:
    return func.HttpResponse(f"{id(one)} {id(two)}")


@app.route(route="streamed/{name}")
@app.blob_input(arg_name="stream", path="clients/{name}", connection="Storage")
def streamed(req: func.HttpRequest, stream: blob.StorageStreamDownloader) -> func.HttpResponse:
    return func.HttpResponse(stream.readall())


@app.route(route="unconnected")
@app.blob_input(arg_name="container", path="clients", connection="NotThere")
def unconnected(req: func.HttpRequest, container: blob.ContainerClient) -> func.HttpResponse:
    return func.HttpResponse("never")


@app.blob_trigger(arg_name="client", path="clients/{name}", connection="Storage")
def uploaded(client: blob.BlobClient) -> None:
    logging.info("uploaded %s: %s", client.blob_name, client.download_blob().readall())
