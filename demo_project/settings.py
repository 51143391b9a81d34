"""Settings of the demo chat. Every `os.environ` below is optional."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DJANGO_DEBUG", "1") not in {"", "0", "false", "no"}

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "for-development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Without DEBUG the demo needs DJANGO_SECRET_KEY.")

# To try the demo from a phone: DEMO_ALLOWED_HOSTS=192.168.1.20 (and let the server listen there).
ALLOWED_HOSTS = [host for host in os.environ.get("DEMO_ALLOWED_HOSTS", "").split(",") if host]
if DEBUG and ALLOWED_HOSTS:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_socketio",
    "demo_project.chat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "demo_project.chat.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo_project.urls"
ASGI_APPLICATION = "demo_project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DEMO_DATABASE", BASE_DIR / "demo.sqlite3"),
        "OPTIONS": {"timeout": 20},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The defaults suit the demo, but for one: signals tell who comes and who leaves. What can be set
# is listed in the documentation of django_socketio.
SOCKETIO: dict[str, object] = {"PRESENCE": True}

# The official Admin UI may connect as "root" where a bcrypt hash of its password is set.
if hashed := os.environ.get("DEMO_ADMIN_UI_PASSWORD"):
    origin = os.environ.get("DEMO_ADMIN_UI_ORIGIN", "https://admin.socket.io")
    SOCKETIO |= {
        "ADMIN_UI": {"USERNAME": "root", "PASSWORD": hashed},
        "CORS_ALLOWED_ORIGINS": [origin],
        "CORS_ALLOW_CREDENTIALS": True,
    }

# One process needs no channel layer. With several, rooms reach each other through Redis.
if redis_url := os.environ.get("REDIS_URL"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [redis_url]},
        },
    }

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# The client comes with django_socketio. This takes another one: the folder of its bundles.
if client := os.environ.get("DEMO_SOCKETIO_CLIENT"):
    STATICFILES_DIRS = [("django_socketio/client", client)]
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"short": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "short"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # A line for every poll says nothing, nor does one for every page that was refused.
        "django.channels.server": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Where the server listens is worth knowing.
        "daphne.server": {"level": "INFO"},
    },
}
