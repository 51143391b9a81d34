"""One response header: what a page of the demo may load, and from where."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

# Nothing inline, nothing from other hosts. `blob:` shows images before they are sent.
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Django's own pages for errors have their style and script inside.
DEBUG_POLICY = f"{POLICY}; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
DEBUG_STATUSES = {400, 403, 404, 500}


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Set the policy, except where a view has set a stricter one."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        debug_page = settings.DEBUG and response.status_code in DEBUG_STATUSES
        policy = DEBUG_POLICY if debug_page else POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
