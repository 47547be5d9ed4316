"""Serves TensorZero's gateway from its Python wheel, the only form that a package registry has."""

import signal
import sys

from tensorzero import _start_http_gateway

gateway = _start_http_gateway(
    config_file=sys.argv[1],
    clickhouse_url=None,
    postgres_url=None,
    valkey_url=None,
    async_setup=False,
)
print("BASE", gateway.base_url, flush=True)
signal.pause()
