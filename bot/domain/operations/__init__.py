"""What is decided about operations, without doing any of it: plans, approvals, roles, locks, freezes."""
