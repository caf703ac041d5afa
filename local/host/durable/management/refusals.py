"""Why the management API refuses an operation."""


class OperationRefused(Exception):
    """The operation is not possible in the instance's state."""


class NotFound(OperationRefused):
    """No such instance."""


class Finished(OperationRefused):
    """The instance has ended, so the operation came too late."""


class AlreadyExists(OperationRefused):
    """The id belongs to an instance that has not ended."""

    def __init__(self, status: str) -> None:
        super().__init__(f"An Orchestration instance with the status {status} already exists.")


class WrongState(OperationRefused):
    """The operation needs another state."""


class UnknownEntity(OperationRefused):
    """The app has no such entity function."""
