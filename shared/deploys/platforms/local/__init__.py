"""The embedded platform: builds and runs apps on this machine, for laptops and tests."""
