"""What raters and numbers say of each other: agreement, ranks, resampling. Pure, on numpy, for every flow."""
