"""The report of a speech run as page, CSV, JSON and Markdown, and its export."""
