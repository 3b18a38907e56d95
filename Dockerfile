# syntax=docker/dockerfile:1
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
COPY requirements.lock ./
# The libraries change seldom and the code often: a layer of their own.
RUN python -m venv /opt/guardian \
    && /opt/guardian/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY probes probes
COPY messages messages
# hatchling is in the lock: nothing is downloaded here.
RUN /opt/guardian/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
    && /opt/guardian/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/guardian/bin/pip uninstall --yes hatchling trove-classifiers pip

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="Guardian" \
    org.opencontainers.image.description="An operations guardian for Slack" \
    org.opencontainers.image.licenses="MIT"
# What backups are made with.
RUN apt-get update && apt-get install --yes --no-install-recommends restic && rm -rf /var/lib/apt/lists/*
# A number that mounts and Kubernetes' runAsNonRoot can rely on.
RUN groupadd --gid 10001 guardian \
    && useradd --uid 10001 --gid guardian --home-dir /var/lib/guardian --create-home --shell /usr/sbin/nologin guardian
COPY --from=build /opt/guardian /opt/guardian
ENV PATH=/opt/guardian/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GUARDIAN_STATE_DIRECTORY=/var/lib/guardian \
    GUARDIAN_HEALTH_PORT=9464
USER 10001:10001
WORKDIR /var/lib/guardian
VOLUME /var/lib/guardian
STOPSIGNAL SIGTERM
# From inside, as the port is on loopback by default; an answer other than 200 raises; no proxy is used.
# A configuration that moves the port (health.port) sets GUARDIAN_HEALTH_PORT as well.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['GUARDIAN_HEALTH_PORT'] + '/health', timeout=4).read()"]
ENTRYPOINT ["guardian"]
CMD ["run"]
