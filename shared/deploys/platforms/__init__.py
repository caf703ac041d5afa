"""Where apps run: the port `ContainerPlatform` and its adapters, one of which CONTAINER_PLATFORM chooses."""
