"""What an audit's database tells: findings, summaries, the report, queries and exports."""
