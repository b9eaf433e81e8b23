"""`texswarm sync`: a folder and a document on a server are kept the same, without a window.

Stands beside `app`, over the same services and the same client; knows no Qt.
"""
