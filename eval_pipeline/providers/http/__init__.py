"""A team's own assistant behind any JSON over HTTP: how it is asked stands in the endpoints file."""
