"""The command line as its users have it, from golden file to report, against stand-ins on this machine."""
