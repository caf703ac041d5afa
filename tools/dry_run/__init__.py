"""Provision without Azure: parameters resolved as azd does, infra/bicep evaluated, each resource put to a stand-in.

It finds what neither types nor linters see: what a second provisioning would change, and what Azure refuses then. The
stand-in, `local.arm.provisioning.requests`, refuses what Azure is known to refuse.
"""
