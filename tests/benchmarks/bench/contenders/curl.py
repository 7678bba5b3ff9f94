"""Use ``curl | grep -c``."""

from __future__ import annotations

import subprocess

from bench import data
from bench.work import TOKEN, Setting

PACKAGES = ()


def grep(setting: Setting) -> dict[str, int]:
    """Search a log while it arrives."""
    count = 0
    for job_id in setting.log_ids:
        url = setting.api + setting.log_path(job_id)
        curl = subprocess.Popen(
            ["curl", "-sSfL", "-H", f"Authorization: Bearer {TOKEN}", url], stdout=subprocess.PIPE
        )
        found = subprocess.run(
            ["grep", "-c", data.NEEDLE], stdin=curl.stdout, capture_output=True, check=True
        )
        assert curl.stdout is not None
        curl.stdout.close()
        assert curl.wait() == 0
        count += int(found.stdout)
    return {"hits": count}
