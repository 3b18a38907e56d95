"""How an alert lives: pure decisions about levels, confirmation, acknowledgement and resolution."""
