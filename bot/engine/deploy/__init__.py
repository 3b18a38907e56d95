"""Deployments and rollbacks as operations, and what watches over them."""
