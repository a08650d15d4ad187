"""Values in a statement: constants, variables and function calls become functions that give wire bytes."""
