"""COMPOSE: values in, final bytes out. Nothing here stores or sends."""
