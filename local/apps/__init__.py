"""The embedded container platform: builds and runs deployed apps on this machine, `python -m local.apps`.

It owns the apps' processes and outlives the Functions host, which speaks to it over HTTP only.
"""
