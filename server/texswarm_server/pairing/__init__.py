"""How a guest who was told a short code gets an invite link from the host, and nobody else does. PURE, of both ends."""
