"""What things are: stored documents and the shapes on the wire, side by side."""
