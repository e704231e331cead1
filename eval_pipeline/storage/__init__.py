"""Stage files (object store) and facts (ledger)."""
