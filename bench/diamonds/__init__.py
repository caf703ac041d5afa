"""The diamond feed and its search, beside dlt, a plain COPY and a worker that prices row by row."""
