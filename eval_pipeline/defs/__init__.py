"""Everything of Dagster; nothing else imports it."""
