"""Every fault of a batch provider, in every protocol and for every kind of work, judged strictly: ``make faults``."""
