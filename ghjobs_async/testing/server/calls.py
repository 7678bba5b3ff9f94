"""Requests as values: as they came, and as they were understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

Origin: TypeAlias = Literal["api", "storage"]

#: The path of the API below the web root, as on GHES.
PREFIX = "/api/v3"


@attrs.frozen
class Asked:
    """
    One request, as it came.

    Attributes:
        origin: ``api`` or ``storage``.

        method: The HTTP method.

        path: The requested path, ``/api/v3`` included, without the query.

        query: The query, decoded.

        headers: The headers, with their names in lower case.

        status: The status of the answer; 0 if there was none.

        operation: ``jobs``, ``job``, ``log``, ``runs``, ``run``, ``run_log``, ``artifacts``,
            ``annotations``, ``workflows``, ``workflow``, ``repo``, ``user``, ``token``,
            ``installation``, ``rate_limit``, ``root``, ``storage`` or ``unknown``.
    """

    origin: Origin
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int = 0
    operation: str = "unknown"


@attrs.frozen
class Call:
    """
    A request that is being answered.

    Attributes:
        asked: The request.

        path: Its path below the API root.

        api_root, web_root, storage_root: The start of URLs in the answer.

        args: The variable parts of the operation's path.
    """

    asked: Asked
    path: str
    api_root: str
    web_root: str
    storage_root: str
    args: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def operation(self) -> str:
        """The operation, as in `Asked`."""
        return self.asked.operation

    @property
    def url(self) -> str:
        """The URL without its query."""
        return self.api_root + self.path

    @property
    def credential(self) -> str:
        """The Authorization header; empty if there is none."""
        return self.asked.headers.get("authorization", "")

    def header(self, name: str) -> str | None:
        """Give a header by its name in lower case."""
        return self.asked.headers.get(name)

    def without_header(self, name: str) -> Call:
        """Give the same request as if that header had not been sent."""
        headers = {key: value for key, value in self.asked.headers.items() if key != name}
        return attrs.evolve(self, asked=attrs.evolve(self.asked, headers=headers))

    def number(self, name: str, default: int) -> int:
        """Give a positive number in the query, else *default*."""
        text = self.asked.query.get(name, "")
        return int(text) if text.isdecimal() and int(text) > 0 else default

    def with_query(self, **query: str) -> Call:
        """Give the same request with other values in its query."""
        asked = attrs.evolve(self.asked, query={**self.asked.query, **query})
        return attrs.evolve(self, asked=asked)
