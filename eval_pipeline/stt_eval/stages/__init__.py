"""The stages of the speech flow, a module each: ``make`` makes the stage of a run."""
