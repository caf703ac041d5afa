"""Agents, their clients, and the tasks that are planned for them."""
