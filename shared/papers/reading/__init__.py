"""From the bytes of a file to its records, from any mark on."""
