"""Programs as text: C, and what is made of it, and JavaScript."""
