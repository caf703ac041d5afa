"""A REST catalog of Iceberg tables, which stands in for Lakekeeper: pyiceberg's SQL catalog behind the REST protocol.

It has namespaces and tables; no views, no sign-in, no credentials of its own for files.
"""
