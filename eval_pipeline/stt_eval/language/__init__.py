"""What languages are called and how they are written; texts made comparable, and what is odd about an answer."""
