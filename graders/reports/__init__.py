"""Renderers: JSON, CSV, web pages, plots and terminal text. What students wrote is hostile in all of them."""
