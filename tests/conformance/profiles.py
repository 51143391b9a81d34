"""The configurations both servers are run with: Node's options and ours, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# The times of "quick", in seconds: short, but longer than a busy machine hesitates.
PING_INTERVAL = 0.4
PING_TIMEOUT = 0.6
UPGRADE_TIMEOUT = 0.7
CONNECT_TIMEOUT = 1.0

ORIGINS = ["http://one.example", "https://two.example:8443"]


@dataclass(frozen=True)
class Profile:
    node: dict[str, Any] = field(default_factory=dict)
    ours: dict[str, Any] = field(default_factory=dict)


PROFILES = {
    "plain": Profile(
        node={"maxHttpBufferSize": 20_000},
        ours={"MAX_HTTP_BUFFER_SIZE": 20_000},
    ),
    "defaults": Profile(),
    "quick": Profile(
        node={
            "pingInterval": PING_INTERVAL * 1000,
            "pingTimeout": PING_TIMEOUT * 1000,
            "upgradeTimeout": UPGRADE_TIMEOUT * 1000,
            "connectTimeout": CONNECT_TIMEOUT * 1000,
        },
        ours={
            "PING_INTERVAL": PING_INTERVAL,
            "PING_TIMEOUT": PING_TIMEOUT,
            "UPGRADE_TIMEOUT": UPGRADE_TIMEOUT,
            "CONNECT_TIMEOUT": CONNECT_TIMEOUT,
        },
    ),
    "listed origins": Profile(
        node={"cors": {"origin": ORIGINS, "credentials": True}, "cookie": True},
        ours={
            "CORS_ALLOWED_ORIGINS": ORIGINS,
            "CORS_ALLOW_CREDENTIALS": True,
            "COOKIE": True,
            "SERVE_CLIENT": False,
        },
    ),
    # The reference serves no client by default.
    "client": Profile(node={"serveClient": True}),
    "client and origins": Profile(
        node={"serveClient": True, "cors": {"origin": ORIGINS, "credentials": True}},
        ours={"CORS_ALLOWED_ORIGINS": ORIGINS, "CORS_ALLOW_CREDENTIALS": True},
    ),
    "any origin": Profile(
        node={
            "cors": {"origin": "*"},
            "cookie": {"name": "my-io", "path": "/app", "httpOnly": False, "sameSite": "strict"},
            "allowUpgrades": False,
            "httpCompression": False,
        },
        ours={
            "CORS_ALLOWED_ORIGINS": "*",
            "COOKIE": {"NAME": "my-io", "PATH": "/app", "HTTPONLY": False, "SAMESITE": "Strict"},
            "ALLOW_UPGRADES": False,
            "HTTP_COMPRESSION": False,
        },
    ),
    "options": Profile(
        node={
            "cors": {
                "origin": ["regexp:^https://([\\w-]+\\.)+pattern\\.example$"],
                "allowedHeaders": ["X-Token", "content-type"],
                "exposedHeaders": ["X-One", "X-Two"],
                "maxAge": 600,
            },
            "cookie": {"secure": True, "maxAge": 60, "partitioned": True, "priority": "high"},
            "httpCompression": {"threshold": 100, "level": 1},
            "allowRequest": "x-refuse",
        },
        ours={
            "CORS_ALLOWED_ORIGINS": ["https://*.pattern.example"],
            "CORS_ALLOWED_HEADERS": ["X-Token", "content-type"],
            "CORS_EXPOSED_HEADERS": ["X-One", "X-Two"],
            "CORS_MAX_AGE": 600,
            "COOKIE": {"SECURE": True, "MAX_AGE": 60, "PARTITIONED": True, "PRIORITY": "high"},
            "HTTP_COMPRESSION": {"THRESHOLD": 100, "LEVEL": 1},
            "ALLOW_REQUEST": "tests.conformance.app.filter.allow",
        },
    ),
    "clients 2.x": Profile(node={"allowEIO3": True}, ours={"ALLOW_EIO3": True}),
    "recovery": Profile(
        node={"connectionStateRecovery": {}}, ours={"CONNECTION_STATE_RECOVERY": True}
    ),
    "polling only": Profile(node={"transports": ["polling"]}, ours={"TRANSPORTS": ["polling"]}),
    "websocket only": Profile(
        node={"transports": ["websocket"]}, ours={"TRANSPORTS": ["websocket"]}
    ),
}

# The times of the official protocol suites, in seconds. That of CONNECT is the suites' example's.
SUITE_PING_INTERVAL = 0.3
SUITE_PING_TIMEOUT = 0.2
SUITE = Profile(
    node={
        "pingInterval": SUITE_PING_INTERVAL * 1000,
        "pingTimeout": SUITE_PING_TIMEOUT * 1000,
        "connectTimeout": 1000,
    },
    ours={
        "PING_INTERVAL": SUITE_PING_INTERVAL,
        "PING_TIMEOUT": SUITE_PING_TIMEOUT,
        "CONNECT_TIMEOUT": 1,
    },
)
