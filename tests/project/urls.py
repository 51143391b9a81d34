"""Plain Django beside the Socket.IO server: what a test asks or tells the server process."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import path

from tests.project import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("static/<path:path>", serve, {"insecure": True}),
    path("page/", views.page),
    path("state/", views.state),
    path("log", views.log),
    path("tags/", views.tags),
    path("held/", views.held),
    path("release/", views.release),
    path("collect/", views.collect),
    path("counts/", views.counts),
    path("emit/", views.emit),
    path("io/", views.use_io),
    path("io/several/", views.use_io_at_once),
    path("io/in-thread/", views.use_io_in_a_thread),
    path("login/", views.log_in),
    path("logout/", views.log_out),
    path("password/", views.change_password),
]
