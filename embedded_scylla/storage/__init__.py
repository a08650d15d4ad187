"""Rows in memory and on disk: how versions merge, how partitions are kept, what the journal holds."""
