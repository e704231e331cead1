"""Quantities read out of prose: numbers with their scale and unit, ranges, ratios, dates, times.

Pure and without a scorer's rules, so that what is read can be tested apart from what is made of it. From the words
(``folding``, ``magnitudes``, ``number_words``, ``months``, ``units``, ``signposts``) over ``plain`` text and ``tokens``
to ``reading``; ``passages`` says which part of an answer counts, ``matching`` what equals what.
"""
