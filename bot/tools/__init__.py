"""The hands: the only place that starts other programs. Always argument lists, never a shell."""
