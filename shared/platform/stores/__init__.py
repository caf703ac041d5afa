"""PostgreSQL and its migrations, blobs, documents."""
