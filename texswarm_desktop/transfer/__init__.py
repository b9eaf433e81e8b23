"""`texswarm import` and `texswarm export`: a project comes in or goes out, without a window and without Qt."""
