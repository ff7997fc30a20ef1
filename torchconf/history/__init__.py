"""What git knows of a project: its files as they were. Git is asked through its own program."""
