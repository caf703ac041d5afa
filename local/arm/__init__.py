"""A stand-in for the few routes of Azure's resource manager that deploying apps needs.

It answers as Container Apps and ACR Tasks do: bodies are held to the documented shapes and versions, writes are long
-running operations, what a write leaves out is dropped. Nothing is built and nothing is run: what becomes of a
deployment is decided by its `Outcome`.
"""
