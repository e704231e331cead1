"""Adapters of vendor SDKs, against the stand-ins."""
