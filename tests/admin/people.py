"""Users of a running server, by its SQLite database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from tests.harness.servers import Server


def log_in_staff(server: Server, name: str, *permissions: str) -> str:
    """A Cookie header of a staff user's session: with these permissions, or all without any."""
    cookie = server.log_in(name)
    database = json.loads(server.env["TEST_PROJECT"])["DATABASE"]
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        query = "update auth_user set is_staff = 1, is_superuser = ? where username = ?"
        assert connection.execute(query, [not permissions, name]).rowcount == 1
        for permission in permissions:
            query = (
                "insert or ignore into auth_user_user_permissions (user_id, permission_id) "
                "select u.id, p.id from auth_user u, auth_permission p "
                "where u.username = ? and p.codename = ?"
            )
            connection.execute(query, [name, permission])
    return cookie
