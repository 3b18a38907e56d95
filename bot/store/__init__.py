"""What is remembered. Rows never leave this package: it takes and gives domain values."""
