from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("collect/", views.collect),
    path("state/", views.state),
    path("release/", views.release),
]
