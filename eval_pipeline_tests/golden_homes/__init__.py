"""Homes as earlier versions left them, how they are made, and how they are opened on this machine."""
