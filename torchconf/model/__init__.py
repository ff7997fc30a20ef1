"""What files say, as values: projects, lockfiles, requirements, markers, targets."""
