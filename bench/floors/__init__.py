"""The programs that the Guardian is held against: the least that does the same."""
