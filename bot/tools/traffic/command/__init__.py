"""Commands of the configuration as the driver of traffic."""
