"""The loops: what runs all the time and ties readings, decisions, the store and Slack together."""
