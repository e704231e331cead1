"""The page, table and plot that every report is made of; escaping lives here."""
