# One image for every process of aisle: docker build -t aisle .
# x86-64 needs no compiler; on aarch64 faust-streaming has no wheel and is built here.

FROM python:3.12.11-slim-bookworm AS build
RUN [ "$(uname -m)" = x86_64 ] \
    || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*; }
WORKDIR /src
COPY requirements.lock requirements-run.lock requirements-bootstrap.lock ./
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_CACHE_DIR=/var/cache/uv
RUN python -m venv /opt/aisle \
    && pip install --no-cache-dir --require-hashes --requirement requirements-bootstrap.lock
RUN --mount=type=cache,target=/var/cache/uv \
    uv pip sync --python /opt/aisle/bin/python --require-hashes requirements-run.lock
COPY pyproject.toml README.md LICENSE ./
COPY infra infra
COPY model model
COPY schemas schemas
COPY scripts scripts
COPY streams streams
COPY workers workers
# The wheel is built in an environment of its own, with the build requirements that the whole lock names.
RUN --mount=type=cache,target=/var/cache/uv \
    uv venv /opt/build \
    && uv pip sync --python /opt/build/bin/python --require-hashes requirements.lock \
    && uv build --wheel --no-build-isolation --python /opt/build/bin/python --out-dir /dist . \
    && uv pip install --python /opt/aisle/bin/python --no-deps /dist/*.whl

# Airflow with aisle's commands, for the compose file's profile of that name: the environment goes by the path of a
# Python 3.12 that both images have, which its last line tries.
FROM apache/airflow:3.0.2-python3.12 AS airflow
COPY --from=build /opt/aisle /opt/aisle
ENV PATH=$PATH:/opt/aisle/bin \
    MPLCONFIGDIR=/tmp/matplotlib
RUN aisle --version

FROM python:3.12.11-slim-bookworm AS aisle
RUN useradd --uid 10001 --create-home aisle \
    && install --directory --owner aisle --group aisle /data /data/models /data/images
COPY --from=build /opt/aisle /opt/aisle
ENV PATH=/opt/aisle/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    AISLE_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["aisle"]
CMD ["--help"]
