"""CQL text to syntax tree: the lexer, the parser and the tree itself. Nothing here knows a schema."""
