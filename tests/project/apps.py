from __future__ import annotations

from django.apps import AppConfig

from tests.project import journal


class ProjectConfig(AppConfig):
    name = "tests.project"
    label = "test_project"

    def ready(self) -> None:
        journal.count_queries()
