"""The WHERE clause: which partitions, rows and filters a statement names, and what it may not ask."""
