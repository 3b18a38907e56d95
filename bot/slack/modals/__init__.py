"""Forms that open above Slack's window."""
