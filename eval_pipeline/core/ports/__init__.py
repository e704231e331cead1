"""What the pure rooms need from the outside world, as small protocols; adapters live in storage and providers."""
