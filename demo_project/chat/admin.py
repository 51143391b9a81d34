from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest

from .models import Message, Room


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ("name", "topic", "created_by", "created_at")
    search_fields = ("name", "topic")
    prepopulated_fields: ClassVar = {"slug": ("name",)}


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Messages can be read and deleted here; the open pages follow at once."""

    list_display = ("__str__", "author", "room", "at", "announcement")
    list_filter = ("room", "announcement")
    list_select_related = ("author", "room")
    search_fields = ("text", "author__username")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False
