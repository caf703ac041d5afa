"""The two errors that every room of the host knows."""


class ConfigurationError(Exception):
    """The app cannot start as it is configured; the message is one line that names what and the remedy."""


class HostStopping(Exception):
    """The invocation was aborted because the host stops: it is retried later and nothing of it is written."""
