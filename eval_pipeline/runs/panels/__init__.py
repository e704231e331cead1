"""A panel of judges at work, whatever it judges: who is asked what, live or by batches, and what each of them said.

It knows material, cells and experts (``judging``), and nothing of where the material comes from.
"""
