"""The stand-in servers do what their docstrings say: everything else is tested against them."""
