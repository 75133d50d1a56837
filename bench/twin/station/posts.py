"""The station's outlets: what belongs to each, and which of them a request means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .authorisation import Reader
from .charging import Outlet
from .profiles import STATION_MAX, Profile
from .story import Story

__all__ = ["Post", "Posts"]


class Post(NamedTuple):
    """One outlet, its card reader and the story of its transactions. 1.6: connector `number`; 2.x: EVSE `number`."""

    number: int
    outlet: Outlet
    story: Story
    reader: Reader


class Posts:
    """All of them, numbered from 1."""

    def __init__(self, posts: list[Post]) -> None:
        self._posts = {post.number: post for post in posts}

    def __iter__(self) -> Iterator[Post]:
        return iter(self._posts.values())

    def __len__(self) -> int:
        return len(self._posts)

    def __getitem__(self, number: int) -> Post:
        return self._posts[number]

    def at(self, number: object) -> Post | None:
        """The outlet of this number; None when there is none."""
        return self._posts.get(number) if isinstance(number, int) else None

    def named(self, number: int | None) -> list[Post]:
        """The outlet of this number; all of them for 0 and None; none when there is no such outlet."""
        if not number:
            return list(self)
        post = self.at(number)
        return [post] if post else []

    def running(self, transaction: object) -> Post | None:
        """The outlet where this transaction runs."""
        for post in self:
            tx = post.outlet.transaction
            if tx is not None and tx.id == transaction:
                return post
        return None

    def for_start(self, number: int | None, token: str, group: str | None) -> Post | None:
        """Where a session may begin for this token: at the outlet named, or else where a vehicle waits, or anywhere."""
        able = [
            post
            for post in self.named(number)
            if post.outlet.startable and post.outlet.reservations.admits(token, group)
        ]
        plugged = [post for post in able if post.outlet.plugged]
        return (plugged or able or [None])[0]

    @property
    def busy(self) -> bool:
        """A session or a transaction goes on somewhere."""
        return any(post.outlet.session is not None or post.outlet.transaction is not None for post in self)

    @property
    def running_any(self) -> bool:
        """A transaction runs somewhere."""
        return any(post.outlet.transaction is not None for post in self)

    # charging profiles: one for the whole station lies at every outlet

    def install(self, profile: Profile) -> None:
        """Install it where it belongs; a limit of the whole station is shared out equally, which keeps to it.

        Raises:
            ValueError: as `Profiles.install`.
        """
        share = profile.shared(len(self)) if profile.purpose == STATION_MAX else profile
        targets = self.named(profile.connector)
        for post in targets:
            post.outlet.profiles.install(share)
        for post in self:
            if post not in targets:
                post.outlet.profiles.clear(profile.profile_id, None, None, None)

    def clear_profiles(
        self, profile_id: int | None, connector: int | None, purpose: str | None, stack_level: int | None
    ) -> bool:
        """As `Profiles.clear`, at every outlet."""
        cleared = [post.outlet.profiles.clear(profile_id, connector, purpose, stack_level) for post in self]
        return any(cleared)

    def profiles(self) -> list[Profile]:
        """Each installed profile once."""
        found: list[Profile] = []
        for post in self:
            found += [one for one in post.outlet.profiles.installed() if one.connector or post.number == 1]
        return found

    def step(self) -> None:
        """What is wished may have changed: a turn of every controller."""
        for post in self:
            post.outlet.step()
