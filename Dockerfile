FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin roster
WORKDIR /srv/roster

# Without the embedded servers' binaries, 150 MB that a container with real servers beside it never runs.
COPY requirements-image.lock .
RUN pip install --root-user-action=ignore --no-deps --requirement requirements-image.lock

COPY LICENSE THIRD-PARTY-NOTICES.md ./
COPY app app
COPY models models
COPY routers routers

# By number: Kubernetes' runAsNonRoot cannot tell who a name is.
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "app.health_check", "live"]
CMD ["python", "-m", "app", "serve"]
