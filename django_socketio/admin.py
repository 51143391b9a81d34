"""The pages under "Socket.IO" in Django's admin: live, connections, rooms, history, namespaces."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

import django
from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .admin_pages import actions, connections, history, live, namespaces
from .admin_pages.chosen import MAX_CHOSEN, Chosen, all_matches, read_chosen
from .admin_pages.feed import NAMESPACE, PERMISSION
from .conf import get_settings
from .models import Connection, Namespace, Room, ServerProcess, TrafficSample
from .stats.gather import Gathered, gather
from .stats.reports import PROCESS, ROOMS, SOCKETS
from .stats.shapes import WITHOUT_RECENT, RoomsParams, SocketsParams

PER_PAGE = 50
# How many pages can be turned; a filter finds what is further back.
MAX_PAGES = 20

# The admin of Django 6.1 has its style for <ol class="breadcrumbs">, those before for a <div>.
BREADCRUMBS_ARE_A_LIST = django.VERSION >= (6, 1)

PAGES = (ServerProcess, Connection, Room, TrafficSample, Namespace)


class Page(admin.ModelAdmin):
    """Base of the pages, each of which stands in for Django's list of a model's objects."""

    template: str
    title: Any

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.changelist_view), name=name)]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self.act(request)
        return self.respond(
            request,
            self.template,
            self.title,
            {**self.page_context(request), **(extra_context or {})},
        )

    def respond(
        self, request: HttpRequest, template: str, title: Any, extra: dict[str, Any]
    ) -> HttpResponse:
        """Return a page of ours; ``extra`` is what its template needs beside what all need."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "pages": self._pages(),
            "breadcrumbs_are_a_list": BREADCRUMBS_ARE_A_LIST,
            **extra,
        }
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, f"admin/django_socketio/{template}.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _pages(self) -> list[dict[str, Any]]:
        """Return the pages for the tabs."""
        found = []
        for model in PAGES:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
            try:
                url = reverse(name, current_app=self.admin_site.name)
            except NoReverseMatch:
                continue
            label = model._meta.verbose_name_plural
            found.append({"url": url, "label": label, "here": model is self.model})
        return found

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the template needs besides what all pages have."""
        return {}

    def act(self, request: HttpRequest) -> HttpResponse:
        """Carry out a POST. Raises PermissionDenied on a page without actions."""
        raise PermissionDenied


@admin.register(ServerProcess)
class LivePage(Page):
    """Totals, charts that move, and the processes."""

    template = "live"
    title = _("Live")

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        gathered = gather(PROCESS)
        return {
            **live.context(gathered),
            "socket_path": request.META.get("SCRIPT_NAME", "") + get_settings().path,
            "namespace": NAMESPACE,
        }


@admin.register(Connection)
class ConnectionsPage(Page):
    """Sockets of all processes, and what can be done to them."""

    template = "connections"
    title = _("Connections")
    filters = ("namespace", "room", "user", "transport", "q")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.connection_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_of_session"
        return [*super().get_urls(), path("<str:node>/<str:session>/", view, name=name)]

    def connection_view(self, request: HttpRequest, node: str, session: str) -> HttpResponse:
        """The page of one connection and its sockets."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = connections.connection(node, session)
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        url = reverse(page, current_app=self.admin_site.name)
        extra = {**(found or {}), "parent": {"url": url, "title": self.title}}
        response = self.respond(request, "connection", gettext("Connection"), extra)
        response.status_code = 200 if found else 404
        return response

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        chosen = self._filters(request)
        number = _page_number(request)
        order = connections.read_order(request.GET)
        asked = {**chosen, "limit": number * PER_PAGE, "order": order, "choices": True}
        gathered = gather(SOCKETS, cast(SocketsParams, asked))
        reports = gathered.reports.values()
        rows = connections.sort_rows((row for report in reports for row in report["rows"]), order)
        total = sum(report["total"] for report in reports)
        names = live.process_names(gathered)
        shown = rows[(number - 1) * PER_PAGE : number * PER_PAGE]
        allowed = [
            (action, label)
            for action, (permission, label) in actions.ACTIONS.items()
            if request.user.has_perm(f"django_socketio.{permission}")
        ]
        return {
            "rows": [
                {
                    **row,
                    "process": names.get(row["node"], row["node"]),
                    "since": datetime.fromisoformat(row["since"]),
                }
                for row in shown
            ],
            "total": total,
            "headings": connections.headings(request.GET, order),
            "order": request.GET.get("o", ""),
            **connections.choices(reports, chosen["namespace"]),
            "chosen": chosen,
            "actions": allowed,
            "may": {action for action, _label in allowed},
            "filtered": any(chosen.values()),
            "missing": _missing(gathered),
            "asked": bool(gathered.reports) or gathered.complete,
            **_paging(request, number, total),
        }

    def act(self, request: HttpRequest) -> HttpResponse:
        form = actions.ActionForm(request.POST)
        action = request.POST.get("action", "")
        permission = actions.ACTIONS.get(action, ("", ""))[0]
        if not permission or not request.user.has_perm(f"django_socketio.{permission}"):
            raise PermissionDenied
        whole_user = bool(request.POST.get("whole_user"))
        if request.POST.get("across"):
            targets, total = all_matches(self._filters(request), whole_user)
        else:
            targets = read_chosen(request.POST.getlist("target"), whole_user)
            total = len(targets)
        if not form.is_valid():
            for errors in form.errors.values():
                messages.error(request, " ".join(map(str, errors)))
        elif not targets:
            messages.warning(request, gettext("No socket was selected."))
        elif action == "disconnect" and not request.POST.get("confirmed"):
            return self._ask(request, targets, total, whole_user)
        else:
            if total > MAX_CHOSEN:
                text = gettext("Many sockets match. This was done to the newest %d only.")
                messages.warning(request, text % MAX_CHOSEN)
            actions.write_log(request.user, form.cleaned_data, targets)
            try:
                done = actions.carry_out(form.cleaned_data, targets)
            except (ImproperlyConfigured, ConnectionError) as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(request.get_full_path())
            messages.success(
                request,
                actions.describe(form.cleaned_data)
                + " "
                + ngettext("%d target.", "%d targets.", done) % done,
            )
        return HttpResponseRedirect(request.get_full_path())

    def _filters(self, request: HttpRequest) -> SocketsParams:
        chosen = {name: request.GET.get(name, "").strip() for name in self.filters}
        return cast(SocketsParams, chosen)

    def _ask(
        self, request: HttpRequest, targets: list[Chosen], total: int, whole_user: bool
    ) -> HttpResponse:
        """Return the page that asks whether these shall be disconnected."""
        return self.respond(
            request,
            "disconnect",
            gettext("Are you sure?"),
            {
                "targets": targets,
                "total": total,
                "too_many": total > MAX_CHOSEN,
                "whole_user": whole_user,
                "parent": {"url": request.get_full_path(), "title": self.title},
            },
        )


@admin.register(Room)
class RoomsPage(Page):
    """Rooms with their members, process by process."""

    template = "rooms"
    title = _("Rooms")

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        chosen = {name: request.GET.get(name, "").strip() for name in ("namespace", "q")}
        number = _page_number(request)
        # A room may be small in each process and large in all: ask for more than is shown.
        params = cast(RoomsParams, {**chosen, "limit": max(1000, number * PER_PAGE)})
        gathered = gather(ROOMS, params)
        members: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for node, report in gathered.reports.items():
            for row in report["rows"]:
                members[(row["namespace"], row["room"])][node] = row["members"]
        names = live.process_names(gathered)
        rows = sorted(members.items(), key=lambda item: (-sum(item[1].values()), item[0]))
        most = max((report["total"] for report in gathered.reports.values()), default=0)
        total = max(len(rows), most)
        url = reverse(
            "admin:django_socketio_connection_changelist", current_app=self.admin_site.name
        )
        return {
            "rows": [
                {
                    "namespace": namespace,
                    "room": room,
                    "members": sum(by_node.values()),
                    "processes": sorted(
                        (names.get(node, node), size) for node, size in by_node.items()
                    ),
                    "url": f"{url}?{urlencode({'namespace': namespace, 'room': room})}",
                }
                for (namespace, room), by_node in rows[(number - 1) * PER_PAGE : number * PER_PAGE]
            ],
            "total": total,
            "chosen": chosen,
            "filtered": any(chosen.values()),
            "missing": _missing(gathered),
            "asked": bool(gathered.reports) or gathered.complete,
            **_paging(request, number, len(rows)),
        }


@admin.register(TrafficSample)
class HistoryPage(Page):
    """Charts of the last hour, day and week."""

    template = "history"
    title = _("History")

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        chosen = request.GET.get("range", "hour")
        return history.context(chosen if chosen in history.RANGES else "hour")


@admin.register(Namespace)
class NamespacesPage(Page):
    """What is registered, and how its handlers do."""

    template = "namespaces"
    title = _("Namespaces and events")

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        gathered = gather(PROCESS, WITHOUT_RECENT)
        reports = list(gathered.reports.values()) or [
            row.as_report() for row in live.known_processes() if row.is_running
        ]
        return {
            **namespaces.context(reports),
            "missing": _missing(gathered),
            "asked": True,
        }


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("p", "1")
    return min(max(int(text), 1), MAX_PAGES) if text.isascii() and text.isdigit() else 1


def _paging(request: HttpRequest, number: int, total: int) -> dict[str, Any]:
    last = min(max(1, -(-total // PER_PAGE)), MAX_PAGES)

    def url(page: int) -> str | None:
        if not 1 <= page <= last:
            return None
        query = request.GET.copy()
        query["p"] = str(page)
        return "?" + query.urlencode()

    return {
        "page": number,
        "last_page": last,
        "previous_url": url(number - 1),
        "next_url": url(number + 1),
    }


def _missing(gathered: Gathered[Any]) -> list[str]:
    """Return the names of the processes that did not answer."""
    names = live.process_names(gathered) if gathered.missing else {}
    return sorted(names.get(node, node) for node in gathered.missing)
