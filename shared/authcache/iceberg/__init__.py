"""The Iceberg tables, through a REST catalog or an embedded one."""
