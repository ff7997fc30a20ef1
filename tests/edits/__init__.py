"""What edits are tested on: folders of before, steps and after, and documents made up."""
