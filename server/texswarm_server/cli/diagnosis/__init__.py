"""What `doctor` looks at: each check returns findings, and each finding that asks for something says exactly what."""
