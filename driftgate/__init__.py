"""The command line and the workspace file; the only package that sees everything."""
