"""DESCRIBE: the statements that would make the schema again."""
