"""An analysis within a run: observations, what the model says of them, the filter, what it changes."""
