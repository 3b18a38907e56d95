"""HAProxy as the driver of traffic: two backends, one entry of a map that shares requests between them."""
