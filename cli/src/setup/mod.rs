//! What `tegata setup` does, step by step.
