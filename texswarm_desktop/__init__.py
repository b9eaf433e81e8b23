"""The desktop of TeXSwarm: a Qt editor for LaTeX written together."""
