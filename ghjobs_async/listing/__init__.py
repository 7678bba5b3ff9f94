"""Complete lists, or an explicit verdict that they are not."""
