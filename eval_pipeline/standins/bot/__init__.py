"""A small assistant behind HTTP of its own kind, as teams build them: asked at once, or asked to answer later."""
