"""Pictures: the stadium, the sale, the log, rows, rings, diagrams, and the widgets made of them."""
