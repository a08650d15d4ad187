"""What a write brings with it: view updates, CDC log rows, and the end of rows with a TTL column."""
