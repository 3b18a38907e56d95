"""Operations: asked for, planned, approved, run to their end whatever happens, and undone where they fail."""
