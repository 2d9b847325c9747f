"""Who a client is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class UserIdentity:
    """The user behind a client, and the tenant and databases that the user may reach."""

    user_id: str
    tenant: str | None = None
    databases: list[str] | None = None
    attributes: dict[str, Any] | None = None
