"""Where jobs run: local processes now, a cluster later behind the same four methods."""
