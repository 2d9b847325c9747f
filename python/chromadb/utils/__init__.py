"""What stands beside the client: embedding functions, batches, distances."""
