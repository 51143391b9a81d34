from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path

from tests.conformance.project.consumers import logs


async def log(request: HttpRequest) -> JsonResponse:
    return JsonResponse(logs[request.GET.get("tag", "")], safe=False)


urlpatterns = [path("log", log)]
