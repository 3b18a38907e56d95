"""One layout a message: `layout(words, facts)` puts the sections of a template into blocks."""
