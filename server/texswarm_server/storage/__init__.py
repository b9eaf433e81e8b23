"""Where documents, people and sessions are kept: the `Store` interface and its SQLite implementation."""
