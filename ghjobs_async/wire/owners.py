"""The repositories of an organization or a user."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from ghjobs_async.wire.answers import decode
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.urls import has_next

#: Which kind of account an owner is, as it stands in GitHub's paths.
OwnerKind: TypeAlias = Literal["orgs", "users"]


@attrs.frozen(kw_only=True)
class OwnedRepository:
    """A repository in the list of its owner."""

    full_name: str
    archived: bool = False
    fork: bool = False
    disabled: bool = False


@attrs.frozen
class _Repositories:
    repositories: tuple[OwnedRepository, ...]


def list_repositories(
    kind: OwnerKind, owner: str, page: int
) -> Request[tuple[tuple[OwnedRepository, ...], bool]]:
    """``GET /orgs/{org}/repos`` or ``GET /users/{username}/repos``, and whether more follow."""

    def decode_list(answer: Answer) -> tuple[tuple[OwnedRepository, ...], bool]:
        # A bare list: as a field it is decoded as every other model.
        items = decode(answer.wrapped(b'{"repositories": '), _Repositories).repositories
        return items, bool(items) and has_next(answer)

    # By name, so that a repository that is pushed to meanwhile stays on its page.
    target = f"/{kind}/{owner}/repos?type=all&sort=full_name&per_page=100&page={page}"
    return Request(owner, target, decode_list)
