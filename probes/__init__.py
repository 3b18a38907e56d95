"""The senses: each probe takes readings of one thing. A leaf: it knows neither the bot nor Slack."""
