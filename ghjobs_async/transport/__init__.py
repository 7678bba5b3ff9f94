"""The way out: sessions, credentials, limits, redirects and retries. The only aiohttp client."""
