"""The errors of Cosmos DB: an HTTP status, a code that goes with it, and for some a substatus."""

import json

_CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    424: "FailedDependency",
}


class CosmosError(Exception):
    """A request that is refused. `substatus` goes into the header x-ms-substatus."""

    def __init__(self, status: int, message: str, substatus: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.substatus = substatus

    @property
    def code(self) -> str:
        return _CODES[self.status]


class BadRequestError(CosmosError):
    def __init__(self, message: str, substatus: int = 0) -> None:
        super().__init__(400, message, substatus)


class BadQueryError(BadRequestError):
    """A query that cannot be answered, in the form that Azure gives to such errors."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(json.dumps({"errors": [{"severity": "Error", "code": code, "message": text}]}))


class NotFoundError(CosmosError):
    def __init__(self, message: str = "Resource Not Found.", substatus: int = 0) -> None:
        super().__init__(404, message, substatus)


class ConflictError(CosmosError):
    def __init__(self, message: str = "Entity with the specified id already exists in the system.") -> None:
        super().__init__(409, message)


class PreconditionFailedError(CosmosError):
    def __init__(self, substatus: int = 0) -> None:
        super().__init__(412, "One of the specified pre-condition is not met.", substatus)
