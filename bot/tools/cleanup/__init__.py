"""The hands of a cleanup: looking, listing, moving into quarantine and back, and the caches' own tools.

Everything is reached by descriptors of directories, one name at a time and never through a link, so that
what was looked at is what is acted on, whoever changes paths meanwhile.
"""
