"""What a search is made of, as expressions."""
