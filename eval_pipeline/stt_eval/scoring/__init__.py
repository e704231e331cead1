"""One transcript against one reference: aligned, counted, scored at every level."""
