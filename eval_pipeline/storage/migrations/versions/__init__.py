"""One file a schema version; never edited after a release. New ones also enter ``SCHEMA_VERSIONS``."""
