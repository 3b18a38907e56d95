"""Sharing traffic between two releases: one file a driver, and the contract that all keep."""
