"""Finds what the Bicep compiler would refuse, where no compiler can be had: unknown names and properties, wrong types.

It reads the subset of Bicep that checkov's parser reads as well; anything else (imports, user-defined functions and
types, lambdas, spread) is a finding itself. The workflow in .github also runs the real compiler before it provisions.

    python -m tools.bicep_check infra/bicep/*.bicep
"""
