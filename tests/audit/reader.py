"""Queries an audit in a loop, and checks each answer: a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from ghjobs_async.audit import AuditStore

#: What must never be found, whenever one looks.
NEVER = {
    "a job without its run": "FROM jobs ANTI JOIN runs USING (repository, run_id)",
    "a step without its job": "FROM steps ANTI JOIN jobs USING (repository, job_id)",
    "a job without its steps": "FROM jobs ANTI JOIN steps USING (repository, job_id)",
    "a job twice": "SELECT job_id FROM jobs GROUP BY ALL HAVING count(*) > 1",
    "a run twice": "SELECT run_id FROM runs GROUP BY ALL HAVING count(*) > 1",
    "half an attempt": """
        SELECT run_id FROM attempts JOIN jobs USING (run_id, run_attempt)
        GROUP BY run_id, run_attempt, attempts.jobs HAVING count(*) <> attempts.jobs
    """,
    "a run without its jobs": "FROM runs ANTI JOIN jobs USING (run_id, run_attempt)",
    "a page before its runs": """
        FROM (SELECT unnest(run_ids) AS run_id FROM pages) ANTI JOIN runs USING (run_id)
    """,
    "a log without its job": "FROM logs ANTI JOIN jobs USING (repository, job_id)",
}


def look(folder: Path) -> int:
    """Check the folder once; return how many runs it has."""
    with AuditStore(folder).read() as connection:
        for what, sql in NEVER.items():
            if found := connection.execute(f"SELECT * FROM ({sql}) LIMIT 3").fetchall():
                raise AssertionError(f"{what}: {found}")
        [(runs,)] = connection.execute("SELECT count(*) FROM runs").fetchall()
        return int(runs)


def main() -> None:
    """Look until there are as many runs as expected; print how often, and how many steps it saw."""
    folder, expected = Path(sys.argv[1]), int(sys.argv[2])
    seen: list[int] = []
    while not seen or seen[-1] < expected:
        if (folder / "audit.duckdb").exists():
            seen.append(look(folder))
    assert seen == sorted(seen)
    print(len(seen), len(set(seen)))


if __name__ == "__main__":
    main()
