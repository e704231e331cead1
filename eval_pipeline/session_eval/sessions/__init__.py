"""Recorded sessions as they come in: what one is, where it comes from, what code finds in it, what judges are shown.

Pure: no files, no ledger.
"""
