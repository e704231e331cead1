"""Claude over Anthropic's Messages and Message Batches, or a server that speaks their protocol; no SDK is needed."""
