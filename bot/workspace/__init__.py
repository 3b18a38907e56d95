"""A Slack that runs on this machine: Web API, Socket Mode and HTTP delivery, a page.

It knows Slack's wire and nothing of any particular bot.
"""
