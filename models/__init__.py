"""The models: stored documents and the shapes on the wire, side by side."""
