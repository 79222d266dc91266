"""Django settings, made from environment variables (docs/settings.md). Safe defaults start an embedded instance."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from reliability.environment import BadVariable, process_environment, unknown_names

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    _env = process_environment()
    if _unknown := unknown_names(os.environ):
        raise BadVariable(f"{_unknown[0]}: no such setting; docs/settings.md lists them")
    DATA_DIR = Path(str(_env.read("UPSHOT_DATA_DIR")))
    TESTING = _env.flag("UPSHOT_TESTING")
    DEBUG = _env.flag("UPSHOT_DEBUG")
    PORT = _env.number("PORT")
    HOST = str(_env.text("UPSHOT_HOST"))
    BASE_URL = (_env.text("UPSHOT_BASE_URL") or f"http://127.0.0.1:{PORT}").rstrip("/")
    CLOCK_OFFSET_SECONDS = float(str(_env.read("UPSHOT_CLOCK_OFFSET_SECONDS")))
    WEB_THREADS = _env.number("UPSHOT_WEB_THREADS")
    WEB_PROCESSES = _env.number("UPSHOT_WEB_PROCESSES")
    WORKER_THREADS = _env.number("UPSHOT_WORKER_THREADS")
    FAILPOINT = cast("tuple[str, int] | None", _env.read("UPSHOT_FAILPOINT"))
    EVENT_RATE = _env.number("UPSHOT_EVENT_RATE")
    EVENT_BURST = _env.number("UPSHOT_EVENT_BURST")
    FLAG_RATE = _env.number("UPSHOT_FLAG_RATE")
    BACKLOG_SECONDS = _env.number("UPSHOT_BACKLOG_SECONDS")
    BACKLOG_ROWS = _env.number("UPSHOT_BACKLOG_ROWS")
    BACKLOG_BYTES = _env.number("UPSHOT_BACKLOG_MB") * 1024 * 1024
    RESERVED_DISK_BYTES = _env.number("UPSHOT_RESERVED_DISK_MB") * 1024 * 1024
    DATABASE_MAX_BYTES = _env.number("UPSHOT_DATABASE_MAX_MB") * 1024 * 1024
    RETENTION = _env.flag("UPSHOT_RETENTION")
    EVENTS_PER_ISSUE = _env.number("UPSHOT_EVENTS_PER_ISSUE")
    EVENTS_PER_SERVICE = _env.number("UPSHOT_EVENTS_PER_SERVICE")
    NEW_ISSUES_PER_HOUR = _env.number("UPSHOT_NEW_ISSUES_PER_HOUR")
    _private_monitors = _env.read("UPSHOT_ALLOW_PRIVATE_MONITORS")
    PRIVATE_NETWORKS = _env.read("UPSHOT_PRIVATE_NETWORKS")
    SENTRY_DSN = _env.text("UPSHOT_SENTRY_DSN")
    _email_url, _email_from = _env.text("UPSHOT_EMAIL_URL"), _env.text("UPSHOT_EMAIL_FROM")
    TRUSTED_PROXIES = _env.read("UPSHOT_TRUSTED_PROXIES")
    LOG_LEVEL = str(_env.text("UPSHOT_LOG_LEVEL")).upper()
    _secret_key = _env.text("UPSHOT_SECRET_KEY")
    _database_url = _env.text("UPSHOT_DATABASE_URL")
    _broker_url = _env.text("UPSHOT_BROKER_URL")
    _extra_hosts = _env.read("UPSHOT_ALLOWED_HOSTS")
    if CLOCK_OFFSET_SECONDS and not TESTING:
        raise BadVariable("UPSHOT_CLOCK_OFFSET_SECONDS: refused, a shifted clock is for tests (UPSHOT_TESTING=1)")
    if FAILPOINT and not TESTING:
        raise BadVariable("UPSHOT_FAILPOINT: refused, dying on purpose is for tests (UPSHOT_TESTING=1)")
    if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise BadVariable(f"UPSHOT_LOG_LEVEL: expected DEBUG, INFO, WARNING or ERROR, got {LOG_LEVEL!r}")
    if urlsplit(BASE_URL).scheme not in {"http", "https"} or not urlsplit(BASE_URL).hostname:
        raise BadVariable(f"UPSHOT_BASE_URL: expected http:// or https:// and a host, got {BASE_URL!r}")
except BadVariable as error:
    raise ImproperlyConfigured(str(error)) from error

ALLOW_PRIVATE_MONITORS = (
    urlsplit(BASE_URL).hostname in {"127.0.0.1", "localhost", "::1"}
    if _private_monitors is None
    else bool(_private_monitors)
)
if not DATA_DIR.is_absolute():
    DATA_DIR = BASE_DIR / DATA_DIR
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _kept_secret_key(path: Path) -> str:
    """The secret key of an instance that was given none: made once, readable by its owner only."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        pass
    made = secrets.token_urlsafe(48)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(made)
    except FileExistsError:  # another process was first
        return path.read_text(encoding="utf-8").strip()
    return made


SECRET_KEY = _secret_key or _kept_secret_key(DATA_DIR / "secret_key")

# -- what the application is made of --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "deploys.apps.DeploysConfig",
    "incidents.apps.IncidentsConfig",
    "reliability.apps.ReliabilityConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "reliability.middleware.client_addresses",
    "reliability.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "reliability.middleware.reader_zone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "reliability.urls"
WSGI_APPLICATION = "reliability.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reliability.shell.shell",
            ],
        },
    },
]
AUTH_USER_MODEL = "deploys.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

# -- databases ------------------------------------------------------------------------------------------------------


def _sqlite(name: str, *, cache_kb: int) -> dict[str, Any]:
    """An SQLite alias. Each connection, one for each thread, keeps up to `cache_kb` of pages in memory.

    IMMEDIATE is needed: a deferred transaction that upgrades to writing fails without waiting. So is FULL: with NORMAL,
    a power cut takes back commits that somebody was told of.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / name,
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                # No mmap: mapped pages count as this process's memory.
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA mmap_size=0;"
                f"PRAGMA journal_size_limit=67108864;PRAGMA cache_size=-{cache_kb};"
            ),
        },
    }


DATABASES: dict[str, dict[str, Any]]
if _database_url is None or _database_url.startswith("sqlite"):
    DATABASES = {
        "default": _sqlite("upshot.sqlite3", cache_kb=4_000),
        # Its own file, so that the digest's write lock never delays an acknowledgement.
        "inbox": _sqlite("inbox.sqlite3", cache_kb=500),  # written at one end, read at the other: nothing is read twice
    }
    if _database_url and (_path := _database_url.removeprefix("sqlite:///")):
        DATABASES["default"]["NAME"] = Path(_path)
        DATABASES["inbox"]["NAME"] = Path(_path).with_name(Path(_path).stem + "-inbox.sqlite3")
    INBOX_ALIAS = APART_ALIAS = "inbox"
else:
    try:
        _parsed = environ.Env.db_url_config(_database_url)
    except environ.ImproperlyConfigured as error:
        raise ImproperlyConfigured("UPSHOT_DATABASE_URL: expected postgres://user:password@host:port/name") from error
    if _parsed["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("UPSHOT_DATABASE_URL: expected postgres://… or nothing (SQLite)")
    DATABASES = {"default": {**_parsed, "ATOMIC_REQUESTS": False, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
    # A second connection of each worker thread, for what must be committed while the digest's transaction is open.
    DATABASES["apart"] = dict(DATABASES["default"])
    INBOX_ALIAS, APART_ALIAS = "default", "apart"
DATABASE_ROUTERS = ["incidents.inbox_router.InboxRouter"]

# -- queue ----------------------------------------------------------------------------------------------------------

BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = _broker_url or "filesystem://"
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_TRANSPORT = "reliability.file_broker:Transport"
    for _name in ("queue", "processed", "control"):
        (BROKER_DIR / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "processed_folder": str(BROKER_DIR / "processed"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.05,
    }
else:
    # Messages are wake-ups only: one that is lost costs a sweep's delay, so a short redelivery time is harmless.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600} if CELERY_BROKER_URL.startswith("redis") else {}
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = WORKER_THREADS
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "upshot"

# -- mail -----------------------------------------------------------------------------------------------------------

MAIL_IS_SET = bool(_email_url)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _email_from or f"upshot@{urlsplit(BASE_URL).hostname}"
if _email_url:
    try:
        vars().update(environ.Env.email_url_config(_email_url))
    except (environ.ImproperlyConfigured, ValueError, KeyError) as error:
        raise ImproperlyConfigured(
            "UPSHOT_EMAIL_URL: expected smtp+tls://user:password@host:587 or the like"
        ) from error

# -- HTTP -----------------------------------------------------------------------------------------------------------

_base = urlsplit(BASE_URL)
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    str(_base.hostname),
    *(_extra_hosts if isinstance(_extra_hosts, list) else []),
]
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
_https = _base.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "upshot_session", "upshot_csrf"
SECURE_SSL_REDIRECT = False  # a proxy in front does it; ingest must never answer 3xx
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024  # what GitHub may send; the ingest front has its own limits
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "sign-in", "home", "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG or TESTING
            else "reliability.static_files.StaticStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# -- language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["deploys.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser", "rest_framework.parsers.FormParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "deploys.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Upshot API",
    "DESCRIPTION": "Post deploys, read what they did.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {"StatusEnum": ["in_progress", "success", "failure"]},
}

# -- cache: shared by all processes, so that what it limits is limited for the instance ------------------------------

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "upshot"}}

# -- logs: one JSON object a line -----------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "reliability.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "_granian": {"handlers": [], "propagate": True},  # in the process that serves: as JSON, and scrubbed, too
        "kombu.connection": {"level": "ERROR"},  # says at each message that the file system has no host name
    },
}

# -- Upshot's own errors --------------------------------------------------------------------------------------------

if SENTRY_DSN:
    if urlsplit(SENTRY_DSN).hostname == _base.hostname and urlsplit(SENTRY_DSN).port == _base.port:
        raise ImproperlyConfigured("UPSHOT_SENTRY_DSN: this instance may not report to itself")
    import sentry_sdk

    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False, include_local_variables=False)
