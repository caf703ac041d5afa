"""What is in the database: its schemas, tables and definitions, and their rows as chunks."""
