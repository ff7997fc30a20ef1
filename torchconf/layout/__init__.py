"""How a target is chosen when installing: by marker, extra or group, and by which command."""
