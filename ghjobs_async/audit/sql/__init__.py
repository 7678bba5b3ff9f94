"""The SQL of an audit's database: tables, views, and the statements that fill and merge it. Pure."""
