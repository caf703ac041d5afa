"""The local host, beside DBOS, bare Starlette and figures recorded from Microsoft's own extension."""
