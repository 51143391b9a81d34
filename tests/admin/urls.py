"""The admin and the metrics."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from django_socketio import metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("metrics/", metrics.view),
]
