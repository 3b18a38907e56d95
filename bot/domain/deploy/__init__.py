"""Deployments, decided purely: how traffic is shared, what the judge thinks, what a plan is made of."""
