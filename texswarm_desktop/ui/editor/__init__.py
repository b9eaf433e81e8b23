"""The text editor: what is written, its colours, the others in it, and finding."""
