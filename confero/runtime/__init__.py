"""The shared I/O of the services: asyncio, HTTP server and client, tasks, logs, metrics, start and stop."""
