"""HTTP doors: health and metrics, and Slack's requests in HTTP mode."""
