"""What lies in Blob Storage: manifests and verdicts, and copies of the files that rows name."""
