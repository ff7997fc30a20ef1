"""Builds, serves and checks the site: `python -m docs.tools build`."""
