"""What uv makes of a project: which index each package comes from, in every environment."""
