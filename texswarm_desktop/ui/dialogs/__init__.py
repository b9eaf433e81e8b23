"""The few dialogs: opened, never executed, and only because the user asked for them."""
