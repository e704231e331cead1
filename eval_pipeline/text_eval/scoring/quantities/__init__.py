"""Quantities read out of prose: numbers with their scale and unit, ranges, ratios, dates, times.

Pure and without a scorer's rules, so that what is read can be tested apart from what is made of it. From the words
(``folding``, ``magnitudes``, ``number_words``, ``months``, ``units``, ``signposts``) over ``plain`` text, which is
``respelling`` too, and ``tokens`` to ``reading``. ``passages`` says which part of an answer counts, with
``words_alone`` and ``when``; ``matching`` says what equals what, ``meant`` what else may be meant.
"""
