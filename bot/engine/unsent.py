"""What Slack has not taken yet: letters in the order of their streams, and streams in line for their bucket.

Only a stream's oldest letter may go, so it is the stream that has a place in line: a channel's, or the one of
all edits. Letters can be taken back as long as they have not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from bot.domain.letters import PAGES, Letter, LetterKind, Priority, calls_nobody
from bot.engine.bucket import EDITS, Allowance, Bucket
from bot.engine.stream import Stream


class Unsent:
    """Letters that are written down and wait, and whose turn it is."""

    def __init__(self, posts: Allowance, edits: Allowance, nothing_passes: Callable[[str], bool]) -> None:
        """`posts` is what each channel may take, `edits` what all of them may. `nothing_passes` tells of a
        bucket whether whatever is tried fails there."""
        self._posts = posts
        self._edits = edits
        self._nothing_passes = nothing_passes
        self._streams: dict[str, Stream] = {}
        self._buckets: dict[str, Bucket] = {}
        self._held: set[int] = set()
        self._held_back: list[Stream] = []
        """streams whose turn came while their letter was held"""

    def letters(self) -> list[Letter]:
        """All of them."""
        return [letter for stream in self._streams.values() for letter in stream.letters]

    def count(self) -> int:
        """How many there are."""
        return sum(len(stream.letters) for stream in self._streams.values())

    def count_for(self, channel: str) -> int:
        """How many there are to that channel."""
        return sum(
            letter.channel == channel for stream in self._streams.values() for letter in stream.letters
        )

    def last_waiting(self, name: str) -> Letter | None:
        """The last letter of a stream, if it is neither under way nor may have arrived."""
        stream = self._streams.get(name)
        return None if stream is None or not any(stream.not_begun()) else stream.letters[-1]

    def superseded_by(self, letters: Sequence[Letter]) -> list[int]:
        """Ids of those that `letters` make superfluous: earlier edits, because only the newest drawing of a
        card matters, and pages that nobody need answer any more."""
        old: list[int] = []
        for letter in letters:
            if letter.kind is not LetterKind.EDIT:
                continue
            over = calls_nobody(letter)
            # What goes to other channels about the same has streams of its own, named after this one.
            names = [name for name in self._streams if name.startswith(f"{letter.stream}:")] if over else []
            for name in (letter.stream, *names):
                stream = self._streams.get(name)
                if stream is None:
                    continue
                old += [
                    earlier.id
                    for earlier in stream.not_begun()
                    if (earlier.kind is LetterKind.EDIT and name == letter.stream)
                    or (over and earlier.template in PAGES)
                ]
        return old

    @contextmanager
    def holding(self, letters: Iterable[int]) -> Iterator[None]:
        """`take` gives none of those as long as the block runs; afterwards they have their turn again."""
        held = set(letters)
        self._held |= held
        try:
            yield
        finally:
            self._held -= held
            streams, self._held_back = self._held_back, []
            for stream in streams:
                self.line_up(stream)

    def accept(self, letters: Sequence[Letter], superseded: Iterable[int] = ()) -> None:
        """Put letters at the end of their streams, and forget those that they stand for."""
        gone = set(superseded)
        for letter in letters:
            stream = self._streams.setdefault(letter.stream, Stream(letter.stream))
            oldest, urgency = stream.oldest, stream.urgency if stream.letters else None
            gone -= stream.take_back(gone)
            stream.letters.append(letter)
            if stream.oldest is not oldest:
                stream.began_anew()
                self.line_up(stream)
            elif urgency is not None and stream.urgency < urgency:
                # It may not go before what waits in front of it, so that has to hurry too.
                self.place_anew(stream)
        if gone:
            self._take_back_elsewhere(gone)

    def buckets(self) -> Collection[Bucket]:
        """Every bucket for which there has been a letter."""
        return self._buckets.values()

    def bucket_of(self, letter: Letter) -> Bucket:
        """The bucket that a letter comes out of."""
        name = EDITS if letter.kind is LetterKind.EDIT else letter.channel
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(name, self._edits if name == EDITS else self._posts)
        return bucket

    def take(self, bucket: Bucket) -> Stream | None:
        """The stream that is first in line, and no longer is; None if its letter must not go now: it was
        superseded meanwhile, or is held. Call it only while somebody waits in the bucket."""
        letter_id, name = bucket.take()
        stream = self._streams.get(name)
        if stream is None or stream.queued != letter_id:
            return None
        stream.queued = None
        if letter_id in self._held:
            self._held_back.append(stream)
            return None
        return stream

    def line_up(self, stream: Stream) -> None:
        """Put a stream in line for its oldest letter, unless that is under way, rests after a failure, or
        waits."""
        oldest = stream.oldest
        if oldest is None or stream.in_flight or stream.resting or stream.queued == oldest.id:
            return
        stream.queued = oldest.id
        self.place_anew(stream)

    def place_anew(self, stream: Stream) -> None:
        """Give a stream that waits in line its place: it is as urgent as its most urgent letter, which can't
        go before the oldest does. While nothing gets through, those go first that have been tried least: one
        that is at fault itself must not be what always finds out for the others."""
        if stream.queued is None:
            return
        bucket = self.bucket_of(stream.letters[0])
        tried = stream.failures if self._nothing_passes(bucket.name) else 0
        bucket.add(stream.urgency + tried * len(Priority), stream.queued, stream.name)

    def failed_in(self, bucket: Bucket) -> list[Stream]:
        """The streams whose oldest letter has failed in that bucket."""
        return [
            stream
            for stream in self._streams.values()
            if stream.failures and self.bucket_of(stream.letters[0]) is bucket
        ]

    def done(self, stream: Stream) -> None:
        """The oldest letter of a stream has been sent or given up."""
        stream.letters.popleft()
        stream.failures = 0
        stream.began_anew()
        if not stream.letters:
            self._streams.pop(stream.name, None)

    def _take_back_elsewhere(self, gone: set[int]) -> None:
        """Forget letters of streams to which nothing new has come."""
        for stream in list(self._streams.values()):
            oldest = stream.oldest
            if not stream.take_back(gone):
                continue
            if not stream.letters:
                del self._streams[stream.name]
            elif stream.oldest is not oldest:
                stream.began_anew()
                self.line_up(stream)
