"""Plain Django beside the Socket.IO server: what a test asks or tells the server process."""

from __future__ import annotations

from django.urls import path

from tests.project import views

urlpatterns = [
    path("state/", views.state),
    path("emit/", views.emit),
    path("login/", views.log_in),
    path("logout/", views.log_out),
]
