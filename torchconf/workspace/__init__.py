"""The files around a command: the project, its workspace, its lockfile, what `check` finds."""
