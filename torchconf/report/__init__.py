"""What was found or planned, as text, tables and JSON."""
