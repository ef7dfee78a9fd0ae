"""The fork server and the confinement that student code runs in."""
