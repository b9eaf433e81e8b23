"""What stands beside the text: the files and the people."""
