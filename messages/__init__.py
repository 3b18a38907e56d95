"""The voice: words in Korean and English, laid out as Block Kit. A leaf that decides nothing."""
