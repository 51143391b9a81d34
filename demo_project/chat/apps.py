from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "demo_project.chat"
    label = "chat"

    def ready(self) -> None:
        from . import presence, receivers  # noqa: F401  # connects the signal receivers
