"""The database of an audit, one file: written in batches, read by many, merged with others."""
