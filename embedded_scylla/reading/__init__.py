"""SELECT: from a statement to a plan, and from a plan to rows, page by page."""
