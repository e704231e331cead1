"""The stages of the text flow, a module each: ``make`` makes the stage of a run."""
