"""restic, the program that keeps the backups: its arguments, its answers, its errors."""
