"""The real pages over an API that answers from memory, served on a port of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import uvicorn
from fastapi import FastAPI

from infra.settings import Settings
from tests.browser.fake_api import Shop
from tests.browser.fake_routes import routes
from tests.gateway import Callers
from workers.gateway.edge import Edge
from workers.gateway.pages import site
from workers.gateway.problems import install


def stage(data_dir: Path, shop: Shop) -> FastAPI:
    """An application with the gateway's edge, errors and pages, and the fake's API."""
    app = FastAPI(openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    settings = Settings(data_dir=data_dir, gateway_sign_up=True)
    app.state.parts = SimpleNamespace(settings=settings)  # all that the pages ask of the parts
    app.state.gatekeeper = Callers()
    install(app)
    site.install(app)
    app.include_router(routes(shop))
    app.add_middleware(Edge, most_bytes=2**25, wait_s=10, https=False)
    return app


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The application's address while it is served by a thread."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", timeout_graceful_shutdown=0
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder, served(stage(Path(folder), Shop()), int(sys.argv[1])) as address:
        print(address, flush=True)
        threading.Event().wait()
