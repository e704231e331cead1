"""The only importers of vendor SDKs: they translate, never decide."""
