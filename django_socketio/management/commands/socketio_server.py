"""``manage.py socketio_server [ADDRPORT]``: serves the project with uvicorn."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from django_socketio.conf import get_settings
from django_socketio.servers.options import GRACEFUL_TIMEOUT, recommended

INSTALL = (
    "The server is not installed (%s). The cure: pip install 'channels-socketio[server,speedups]'"
)
# "8000", "0.0.0.0:8000", "example.org:8000" or "[::1]:8000", as runserver takes them.
ADDRPORT = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+):)?(?P<port>\d+)\Z")
LEVELS = ("critical", "error", "warning", "info", "debug", "trace")


class Command(BaseCommand):
    """Starts uvicorn with this package's ends and the settings that docs/limits.md recommends."""

    help = "Serve the project: pages, Socket.IO and other WebSockets, in one or several processes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "addrport",
            nargs="?",
            help="a port, or an address and a port; by default 127.0.0.1:8000",
        )
        add = parser.add_argument
        add("--uds", metavar="PATH", help="listen on a Unix socket instead")
        add("--fd", type=int, help="listen on this file descriptor, which is a socket, instead")
        add(
            "--app",
            help="the ASGI application, 'module:name'; by default the setting ASGI_APPLICATION",
        )
        add(
            "--workers",
            type=int,
            default=1,
            help="how many processes serve; more than one need a channel layer that they share",
        )
        add("--reload", action="store_true", help="start anew when a Python file changes")
        add("--certfile", metavar="PATH", help="serve over TLS with this certificate")
        add("--keyfile", metavar="PATH", help="the certificate's key, if it is not in that file")
        add("--keyfile-password", metavar="PASSWORD", help="what the key is encrypted with")
        add(
            "--forwarded-allow-ips",
            metavar="ADDRESSES",
            help="the proxies whose X-Forwarded-For and -Proto are believed, with commas; by "
            "default $FORWARDED_ALLOW_IPS, else 127.0.0.1",
        )
        add(
            "--no-proxy-headers",
            dest="proxy_headers",
            action="store_false",
            help="believe no such header",
        )
        add("--root-path", default="", help="the path under which a proxy has the project")
        add("--log-level", choices=LEVELS, default="info", help="uvicorn's; by default info")
        add("--access-log", action="store_true", help="log each request")
        add("--backlog", type=int, default=2048, help="connections that wait to be accepted")
        add(
            "--keep-alive",
            type=int,
            default=5,
            metavar="SECONDS",
            help="how long a connection without a request is kept; more than a proxy does",
        )
        add(
            "--graceful-timeout",
            type=int,
            default=GRACEFUL_TIMEOUT,
            metavar="SECONDS",
            help="how long SIGTERM waits for requests that are being served; by default 10",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = _read_address(options["addrport"])
        if sum(options[way] is not None for way in ("addrport", "uds", "fd")) > 1:
            raise CommandError("Give one of ADDRPORT, --uds and --fd.")
        if options["workers"] < 1 or (options["workers"] > 1 and options["reload"]):
            raise CommandError("--workers wants a positive number, and --reload a single process.")
        if options["keyfile"] and not options["certfile"]:
            raise CommandError("--keyfile wants --certfile.")
        application = options["app"] or getattr(settings, "ASGI_APPLICATION", None)
        if not application:
            raise CommandError("Set ASGI_APPLICATION = 'mysite.asgi.application', or give --app.")
        if ":" not in application:
            application = ":".join(application.rsplit(".", 1))
        try:
            import uvicorn

            chosen = recommended(get_settings().max_http_buffer_size)
        except ImportError as error:
            raise CommandError(INSTALL % error) from error
        # So that each process can say that they share no channel layer; see process.wanted().
        os.environ["WEB_CONCURRENCY"] = str(options["workers"])
        chosen.update(
            host=host,
            port=port,
            uds=options["uds"],
            fd=options["fd"],
            workers=options["workers"],
            reload=options["reload"],
            ssl_certfile=options["certfile"],
            ssl_keyfile=options["keyfile"],
            ssl_keyfile_password=options["keyfile_password"],
            proxy_headers=options["proxy_headers"],
            forwarded_allow_ips=options["forwarded_allow_ips"],
            root_path=options["root_path"],
            log_level=options["log_level"],
            access_log=options["access_log"],
            backlog=options["backlog"],
            timeout_keep_alive=options["keep_alive"],
            timeout_graceful_shutdown=options["graceful_timeout"],
            use_colors=False if options["no_color"] else None,
        )
        uvicorn.run(application, **chosen)


def _read_address(addrport: str | None) -> tuple[str, int]:
    """Return the host and the port to bind. Raises CommandError for what is none."""
    match = ADDRPORT.match(addrport or "8000")
    if match is None or int(match["port"]) > 65535:
        raise CommandError(f"{addrport!r} is not a port, or an address and a port.")
    return (match["host"] or "127.0.0.1").strip("[]"), int(match["port"])
