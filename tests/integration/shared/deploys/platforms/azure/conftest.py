"""The platform on Azure alone, against its stand-in."""

import pytest


@pytest.fixture
def harness(azure_harness):
    return azure_harness


@pytest.fixture
def cloud(harness):
    return harness.cloud
