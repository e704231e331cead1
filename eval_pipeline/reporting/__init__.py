"""The page, table and plot that every report is made of, and the files of every export; escaping lives here."""
