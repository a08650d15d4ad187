"""The system tables: what the node tells of itself and of its schema, and how the schema is kept."""
