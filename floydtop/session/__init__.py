"""What is known of a recording: its file, and the state that its events add up to."""
