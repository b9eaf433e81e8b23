"""The listener, the driver of one connection, its bounded outbox, and the HTTP endpoints.

Drivers know frames and close codes; who somebody is and what a document says is decided by the `Desk` they serve.
"""
