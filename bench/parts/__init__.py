"""Parts of the Guardian as programs of their own: what nobody can measure from outside."""
