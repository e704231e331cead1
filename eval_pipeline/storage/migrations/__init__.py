"""Alembic migrations of the ledger, run from code on a given connection: there is no ``alembic.ini``."""
