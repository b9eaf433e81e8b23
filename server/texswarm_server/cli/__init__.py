"""The command line of the server: one module for each group of commands, joined by `program`."""
