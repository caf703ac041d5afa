"""A mail server that delivers nothing: it keeps every mail as a file, shows them over HTTP, and refuses on demand."""
