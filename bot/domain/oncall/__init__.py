"""Who is on call: schedules, rotations, overrides, and the arithmetic of local time beneath them. Pure."""
