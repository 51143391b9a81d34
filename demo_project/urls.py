"""URLs of the demo: the chat at the root, the admin beside it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("demo_project.chat.urls")),
]
