"""The report of a text run as page, rows and plots, and its export."""
