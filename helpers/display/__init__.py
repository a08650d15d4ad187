"""What a person looks at: tables, pictures, widgets, refusals in sentences."""
