"""What is decided about a cleanup: which files, which processes are left alone, what the plan is."""
