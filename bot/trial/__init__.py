"""What `guardian run --trial` adds: a Slack on this machine."""
