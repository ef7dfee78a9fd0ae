"""How fast graders is, beside its peers and the bare work: `make bench`."""
