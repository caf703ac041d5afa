"""Revisions of apps: started, kept running, and the one that serves, reached through one port."""
