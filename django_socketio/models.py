"""What the server processes write about themselves, for the admin and ``socketio_stats``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from .stats.shapes import ProcessReport, complete_process, lost_messages

# A process is stale when it has missed so many of its writes, and GRACE has passed.
MISSED_WRITES = 3
GRACE = timedelta(seconds=5)


class ServerProcess(models.Model):
    """A server process: who it is, and what it had counted when it last wrote."""

    node = models.CharField(_("id"), max_length=16, unique=True)
    host = models.CharField(_("host"), max_length=200)
    pid = models.PositiveIntegerField(_("process id"))
    version = models.CharField(_("version"), max_length=50)
    started = models.DateTimeField(_("started"))
    last_seen = models.DateTimeField(_("last seen"), db_index=True)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    interval = models.FloatField(_("seconds between writes"))
    counters = models.JSONField(_("counters"), default=dict)

    class Meta:
        verbose_name = _("server process")
        verbose_name_plural = _("live")
        default_permissions = ("view",)
        permissions = [
            ("disconnect_sockets", _("Can disconnect sockets")),
            ("change_rooms", _("Can make sockets join and leave rooms")),
            ("send_events", _("Can send events to sockets")),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

    @property
    def is_stale(self) -> bool:
        """Whether the process is late with its writes, and has not written that it ended."""
        allowed = timedelta(seconds=MISSED_WRITES * self.interval) + GRACE
        return self.ended is None and now() - self.last_seen > allowed

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended, and writes in time."""
        return self.ended is None and not self.is_stale

    def as_report(self) -> ProcessReport:
        """Return what the process itself would report, as it last wrote it."""
        report = complete_process(
            {
                "node": self.node,
                "host": self.host,
                "pid": self.pid,
                "version": self.version,
                "started": self.started.isoformat(),
                "layer_up": self.counters.get("layer_up"),
                "lost": 0,
                "counters": self.counters,
                "recent": [],
                "name": str(self),
            }
        )
        report["lost"] = lost_messages(report["counters"]["layer"])
        return report


class TrafficSample(models.Model):
    """One minute of one process: what went through it, and the most that it held."""

    node = models.CharField(_("process"), max_length=16)
    minute = models.PositiveIntegerField(_("minutes since 1970"), db_index=True)
    sockets = models.PositiveIntegerField(_("most sockets"))
    sessions = models.PositiveIntegerField(_("most sessions"))
    connects = models.PositiveBigIntegerField(_("sockets that connected"))
    events_in = models.PositiveBigIntegerField(_("events received"))
    events_out = models.PositiveBigIntegerField(_("events sent"))
    packets_in = models.PositiveBigIntegerField(_("packets received"))
    packets_out = models.PositiveBigIntegerField(_("packets sent"))
    bytes_in = models.PositiveBigIntegerField(_("bytes received"))
    bytes_out = models.PositiveBigIntegerField(_("bytes sent"))
    errors = models.PositiveBigIntegerField(_("errors in handlers"))
    lost = models.PositiveBigIntegerField(_("messages between processes that were lost"))
    lag = models.FloatField(_("longest delay of the event loop in seconds"))

    class Meta:
        verbose_name = _("traffic sample")
        verbose_name_plural = _("history")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.node} {self.time:%Y-%m-%d %H:%M}"

    @property
    def time(self) -> datetime:
        """When the minute began."""
        return datetime.fromtimestamp(self.minute * 60, timezone.utc)


# The models below stand for pages of the admin, which lists models only. They have no tables and no
# permissions of their own.


class Connection(ServerProcess):
    """The admin's page of connections."""

    class Meta:
        proxy = True
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        default_permissions = ()


class Room(ServerProcess):
    """The admin's page of rooms."""

    class Meta:
        proxy = True
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        default_permissions = ()


class Namespace(ServerProcess):
    """The admin's page of namespaces and events."""

    class Meta:
        proxy = True
        verbose_name = _("namespace")
        verbose_name_plural = _("namespaces and events")
        default_permissions = ()
