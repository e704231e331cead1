"""A local server that speaks Anthropic's Messages and Message Batches."""
